import { Command, Option } from "commander";
import type { UpscaleOptions } from "../photos/run-upscale.js";
import type { Terminal } from "../progress/terminal.js";
import { wholeNumber } from "./arguments.js";
import { CENTER_KERNEL, KERNEL_CONVENTIONS } from "./kernel-help.js";
import { weightsOption } from "./weights-option.js";

export function upscaleCommand(terminal: Terminal): Command {
  return new Command("upscale")
    .description("Adapt a model to one photo in a few gradient steps, then enlarge the photo with it.")
    .argument("<image>", "PNG, JPEG, WebP or TIFF")
    .requiredOption("--model <path>", "model.safetensors, or the folder of a finished run")
    .addOption(weightsOption())
    .requiredOption("--kernel <k>", "how the photo was blurred: g2.0, g0.2, gani, g1.3, gauss:λ1,λ2,θ, .mat or .npy")
    .option("--center-kernel", CENTER_KERNEL)
    .option("--updates <n>", "gradient steps on the photo", wholeNumber(0, 10_000), 10)
    .requiredOption("-o, --output <file>", "PNG to write")
    .option("--force", "replace the file of that name; an input is never replaced")
    .addOption(
      new Option("--downsampling <kind>", "default: what the paper tests the kernel with, else direct").choices([
        "direct",
        "bicubic",
      ]),
    )
    .option("--back-projections <n>", "corrections of the result by its own degradation", wholeNumber(0, 100), 0)
    .option("--backend <name>", "auto, cuda, tensorflow, webgpu, simd or cpu", "auto")
    .option("--json", "print JSON")
    .addHelpText("after", KERNEL_CONVENTIONS)
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr upscale cat.jpg --model runs/quickstart/model.safetensors --kernel g2.0 --updates 10 -o cat-x2.png\n",
    )
    .action(async (image: string, options: UpscaleOptions) => {
      const { runUpscale } = await import("../photos/run-upscale.js");
      await runUpscale(image, options, terminal);
    });
}
