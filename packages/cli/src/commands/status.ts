import { Command } from "commander";
import type { Terminal } from "../terminal/terminal.js";

export interface StatusOptions {
  readonly url?: string;
  readonly nats?: string;
  readonly run?: string;
  readonly json?: boolean;
}

export function statusCommand(terminal: Terminal): Command {
  return new Command("status")
    .description("What a cluster does now: stage, step, losses, workers, time left.")
    .option("--url <url>", "the coordinator's page, for example http://10.0.0.5:7701")
    .option("--nats <servers>", "ask over NATS instead")
    .option("--run <dir>", "the cluster on this machine that works on this run folder (default: the newest)")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ npx mzsr status --url http://10.0.0.5:7701 --json\n")
    .action(async (options: StatusOptions) => {
      const { runStatus } = await import("../inspect/run-status.js");
      await runStatus(options, terminal);
    });
}
