import { Command } from "commander";
import type { TrainEstimatorOptions } from "../estimator/run-train-estimator.js";
import type { Terminal } from "../progress/terminal.js";
import { scales, wholeNumber } from "./arguments.js";

export function trainEstimatorCommand(terminal: Terminal): Command {
  return new Command("train-estimator")
    .description("Train what --kernel auto estimates a photo's blur with, from a folder of sharp photos.")
    .requiredOption("--images <dir>", "folder of HR images, sharp ones: what blurs them is drawn")
    .requiredOption("-o, --output <file>", "estimator.safetensors to write")
    .option("--scales <list>", "factors of enlargement to estimate kernels for", scales, [2])
    .option("--kernels <n>", "random kernels for each photo, scale and downsampling", wholeNumber(1, 1000), 24)
    .option("--leave-out <n>", "every n-th photo, by name, only measures the estimator", wholeNumber(2, 1000), 5)
    .option("--seed <n>", "of kernels, noise and the rest", wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)
    .option("--skip-bad", "go on without images that cannot be read or are too small, saying which and why")
    .option("--force", "replace the file of that name; an input is never replaced")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ npx mzsr train-estimator --images photos -o estimator.safetensors\n")
    .action(async (options: TrainEstimatorOptions) => {
      const { runTrainEstimator } = await import("../estimator/run-train-estimator.js");
      await runTrainEstimator(options, terminal);
    });
}
