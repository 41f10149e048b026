import { Command } from "commander";
import type { ViewOptions } from "../inspect/view-runs.js";
import type { Terminal } from "../progress/terminal.js";
import { portNumber } from "./arguments.js";
import { addHttpOptions } from "./http-options.js";

export function viewCommand(terminal: Terminal): Command {
  const command = new Command("view")
    .description("Open a finished run on the page, or compare several, or a picture of before and after, until Ctrl-C.")
    .argument("<run>", "a run folder, or a picture that upscale --compare wrote")
    .argument("[others...]", "run folders to compare it with; eight runs are drawn, more can be chosen on the page")
    .option("--host <address>", "interface to listen on", "127.0.0.1")
    .option("--port <port>", "port of the page, 0 for a free one", portNumber, 0);
  return addHttpOptions(command)
    .addHelpText("after", "\nExample:\n  $ npx mzsr view runs/first runs/second runs/third\n")
    .action(async (run: string, others: readonly string[], options: ViewOptions) => {
      const { viewRuns } = await import("../inspect/view-runs.js");
      const { isPicture, viewComparison } = await import("../inspect/view-comparison.js");
      if (others.length === 0 && (await isPicture(run))) return viewComparison(run, options, terminal);
      await viewRuns([run, ...others], options, terminal);
    });
}
