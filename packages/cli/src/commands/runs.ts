import { Command } from "commander";
import type { RunsOptions } from "../inspect/list-runs.js";
import type { Terminal } from "../progress/terminal.js";

export function runsCommand(terminal: Terminal): Command {
  return new Command("runs")
    .description("List the runs in a folder, newest last.")
    .argument("[dir]", "folder of run folders", "runs")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ npx mzsr runs\n")
    .action(async (folder: string, options: RunsOptions) => {
      const { listRuns } = await import("../inspect/list-runs.js");
      await listRuns(folder, options, terminal);
    });
}
