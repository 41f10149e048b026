import { Command } from "commander";
import type { Terminal } from "../progress/terminal.js";
import type { SweepOptions } from "../sweep/run-sweep.js";
import { collect, wholeNumber } from "./arguments.js";
import { addRunOptions } from "./run-options.js";

export function sweepCommand(terminal: Terminal): Command {
  const command = new Command("sweep")
    .description(
      "Train a run for each combination of a few configuration values, one after the other on this machine, and compare them.",
    )
    .argument("<dir>", "folder for the runs; with the same command it goes on where it stopped")
    .requiredOption("--vary <key=a,b>", "values of a configuration key; may be repeated", collect);
  return addRunOptions(command)
    .option("--workers <n>", "worker processes", wholeNumber(1, 256), 2)
    .option("--json", "print the comparison as JSON")
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr sweep runs/rates --preset quick --vary metaTraining.learningRate=1e-4,3e-4 --vary seed=1,2\n",
    )
    .action(async (folder: string, options: SweepOptions) => {
      const { runSweep } = await import("../sweep/run-sweep.js");
      await runSweep(folder, options, terminal);
    });
}
