import { Command } from "commander";
import type { UpOptions } from "../cluster/run-up.js";
import type { Terminal } from "../progress/terminal.js";
import { portNumber, wholeNumber } from "./arguments.js";
import { addHttpOptions } from "./http-options.js";
import { addRunOptions } from "./run-options.js";

export function upCommand(terminal: Terminal): Command {
  const command = new Command("up").description(
    "A whole cluster on this machine: NATS, coordinator, workers, page. Ends when training ends; Ctrl-C stops it cleanly.",
  );
  return addHttpOptions(addRunOptions(command))
    .option("--workers <n>", "worker processes", wholeNumber(1, 256), 2)
    .option(
      "--slots <n>",
      "tasks that a worker computes at a time (default: its share of the cores; on a GPU what its memory holds)",
      wholeNumber(1, 256),
    )
    .option("--http-port <port>", "port of the page and the metrics, 0 for a free one", portNumber, 0)
    .option("--report", "after training, evaluate on photos that were held out and write report/")
    .option("--kernel <k>", "kernel that the report degrades the photos with", "g2.0")
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr up --preset quick --run runs/first --report\n  $ npx mzsr up --run runs/first --resume\n",
    )
    .action(async (options: UpOptions) => {
      const { runUp } = await import("../cluster/run-up.js");
      await runUp(options, terminal);
    });
}
