import { Command } from "commander";
import type { StatusOptions } from "../inspect/run-status.js";
import type { Terminal } from "../progress/terminal.js";
import { notEmpty } from "./arguments.js";
import { addHttpSecret } from "./http-options.js";

export function statusCommand(terminal: Terminal): Command {
  const command = new Command("status")
    .description(
      "What a cluster does now: stage, step, losses, workers, time left; else the last state of the newest run.",
    )
    .option("--url <url>", "the coordinator's page, for example http://10.0.0.5:7701")
    .option("--nats <servers>", "ask over NATS instead; without --run, every run there")
    .option(
      "--run <dir>",
      "a run folder on this machine (default: the newest in runs/ that is alive, else the newest); over NATS a run's name",
      notEmpty,
    )
    .option("--workers", "name every worker; without it, of more than 12 a summary and those worth a look")
    .option("--json", "print JSON, with every worker");
  return addHttpSecret(command)
    .addHelpText("after", "\nExample:\n  $ npx mzsr status --url http://10.0.0.5:7701 --json\n")
    .action(async (options: StatusOptions) => {
      const { runStatus } = await import("../inspect/run-status.js");
      await runStatus(options, terminal);
    });
}
