import { Command, Option } from "commander";
import type { UpscaleOptions } from "../photos/run-upscale.js";
import type { Terminal } from "../progress/terminal.js";
import { decimal, notEmpty, wholeNumber } from "./arguments.js";
import { backendOption, deviceOption, gpuMemoryOption } from "./backend-options.js";
import { CENTER_KERNEL, KERNEL_CONVENTIONS } from "./kernel-help.js";
import { weightsOption } from "./weights-option.js";

const EXAMPLES = `
Example:
  $ npx mzsr upscale cat.jpg                                                         # writes cat-x2.png
  $ npx mzsr upscale holiday --recursive --model runs/quickstart -o large --format jpeg
  $ npx mzsr upscale cat.jpg --method zssr -o cat-zssr.png                           # minutes, and no model
  $ curl -s https://example.org/cat.jpg | npx mzsr upscale - --model runs/quickstart -o - > cat.png
`;

export function upscaleCommand(terminal: Terminal): Command {
  return new Command("upscale")
    .description("Adapt a model to each photo in a few gradient steps, then enlarge the photo with it.")
    .argument(
      "<input...>",
      "PNG, JPEG, WebP or TIFF files, folders of them, patterns, or - for standard input",
      collectNames,
    )
    .addOption(
      new Option("--method <name>", "a model and a few steps, a network trained on the photo alone, or interpolation")
        .choices(["mzsr", "zssr", "bicubic"])
        .default("mzsr"),
    )
    .option(
      "--model <path>",
      "model.safetensors, or the folder of a finished run (default: @mzsr/model-x2, which comes along)",
    )
    .addOption(weightsOption())
    .option("--scale <s>", "factor of zssr and bicubic; that of a model is its own (default: 2)", wholeNumber(2, 4))
    .option(
      "--kernel <k>",
      "how the photo was blurred: auto, g2.0, g0.2, gani, g1.3, gauss:λ1,λ2,θ, .mat or .npy",
      "auto",
    )
    .option("--center-kernel", CENTER_KERNEL)
    .addOption(
      new Option("--downsampling <kind>", "default: what the paper tests the kernel with, else direct").choices([
        "direct",
        "bicubic",
      ]),
    )
    .option(
      "--updates <n>",
      "gradient steps on the photo, of zssr at most (default: 10; 3000 of zssr)",
      wholeNumber(0, 10_000),
    )
    .option(
      "--noise <sigma>",
      "noise of the photo, where white is 1: added to what the steps learn from",
      decimal(0, 1),
      0,
    )
    .option("--back-projection <n>", "corrections of the result by its own degradation", wholeNumber(0, 100), 0)
    .option(
      "-o, --output <place>",
      "file, folder, or - for standard output (default: photo-x2.png beside photo.jpg)",
      notEmpty,
    )
    .addOption(
      new Option("--format <name>", "of results whose file is not named (default: png)").choices([
        "png",
        "jpeg",
        "webp",
        "tiff",
        "avif",
      ]),
    )
    .option("--quality <n>", "of JPEG, WebP and AVIF (default: 90)", wholeNumber(1, 100))
    .option("--compare <file>", "write a picture of bicubic interpolation and the result side by side, for mzsr view")
    .option("--force", "replace files of those names; an input is never replaced")
    .option("--recursive", "take the photos of a folder's folders too")
    .option("--jobs <n>", "photos at a time, each in a thread with memory of its own", wholeNumber(1, 256), 1)
    .option("--threads <n>", "that share the work of one photo (default: all cores)", wholeNumber(1, 256))
    .addOption(backendOption())
    .addOption(deviceOption())
    .addOption(gpuMemoryOption())
    .option("--json", "print a line of JSON for each photo")
    .option("--quiet", "tell only what fails")
    .addOption(new Option("--back-projections <n>").argParser(wholeNumber(0, 100)).hideHelp())
    .addHelpText("after", KERNEL_CONVENTIONS)
    .addHelpText("after", EXAMPLES)
    .action(
      async (inputs: string[], { backProjections, ...options }: UpscaleOptions & { backProjections?: number }) => {
        const { runUpscale } = await import("../photos/run-upscale.js");
        const backProjection = backProjections ?? options.backProjection;
        await runUpscale(inputs, { ...options, backProjection }, terminal);
      },
    );
}

/** An empty name is most likely a variable that is not set. */
function collectNames(text: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), notEmpty(text)];
}
