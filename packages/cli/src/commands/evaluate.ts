import { Command, Option } from "commander";
import type { EvaluateOptions } from "../photos/run-evaluate.js";
import type { Terminal } from "../progress/terminal.js";
import { decimal, updateCounts, wholeNumber } from "./arguments.js";
import { backendOption, deviceOption, gpuMemoryOption } from "./backend-options.js";
import { CENTER_KERNEL, KERNEL_CONVENTIONS } from "./kernel-help.js";
import { weightsOption } from "./weights-option.js";

export function evaluateCommand(terminal: Terminal): Command {
  return new Command("evaluate")
    .description("Degrade HR images with a kernel, enlarge them again, and measure PSNR and SSIM against bicubic.")
    .requiredOption("--model <path>", "model.safetensors, or the folder of a finished run")
    .addOption(weightsOption())
    .requiredOption("--images <dir>", "folder of HR images")
    .requiredOption("--kernel <k>", "g2.0, g0.2, gani, g1.3, gauss:λ1,λ2,θ, random[:SEED], or a .mat or .npy file")
    .option("--adapt-with <k>", "adapt with another kernel, or auto, and say what that costs against the true one")
    .option("--center-kernel", CENTER_KERNEL)
    .option("--scale <s>", "factor, must be the model's", wholeNumber(2, 4))
    .option("--updates <list>", "numbers of gradient steps on each image", updateCounts, [0, 1, 10])
    .addOption(
      new Option("--downsampling <kind>", "default: what the paper tests the kernel with, else direct").choices([
        "direct",
        "bicubic",
      ]),
    )
    .option("--noise <levels>", "Gaussian noise on the LR image, in grey levels of 255", decimal(0, 255), 0)
    .option("--jpeg <quality>", "send the LR image through a JPEG file", wholeNumber(1, 100))
    .option("--skip-bad", "go on without images that cannot be read or are too small, saying which and why")
    .addOption(backendOption())
    .addOption(deviceOption())
    .addOption(gpuMemoryOption())
    .option("--json", "print JSON")
    .addHelpText("after", KERNEL_CONVENTIONS)
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr evaluate --model runs/quickstart/model.safetensors --images photos --kernel g2.0 --updates 0,1,10\n",
    )
    .action(async (options: EvaluateOptions) => {
      const { runEvaluate } = await import("../photos/run-evaluate.js");
      await runEvaluate(options, terminal);
    });
}
