import { Command } from "commander";
import type { Terminal } from "../progress/terminal.js";
import type { StudioOptions } from "../studio/run-studio.js";
import { portNumber, wholeNumber } from "./arguments.js";
import { backendOption, deviceOption, gpuMemoryOption } from "./backend-options.js";
import { weightsOption } from "./weights-option.js";

export function studioCommand(terminal: Terminal): Command {
  return new Command("studio")
    .description("A page on this machine that enlarges photos dropped on it, until Ctrl-C.")
    .option(
      "--model <path>",
      "model.safetensors, or the folder of a finished run (default: @mzsr/model-x2, which comes along)",
    )
    .addOption(weightsOption())
    .option("--kernel <k>", "how the photos were blurred, as of upscale", "auto")
    .option("--updates <n>", "gradient steps on a photo", wholeNumber(0, 10_000), 10)
    .option("--threads <n>", "that share the work of a photo (default: all cores)", wholeNumber(1, 256))
    .addOption(backendOption())
    .addOption(deviceOption())
    .addOption(gpuMemoryOption())
    .option("--port <port>", "port of the page on 127.0.0.1, 0 for a free one", portNumber, 0)
    .addHelpText("after", "\nExample:\n  $ npx mzsr studio\n")
    .action(async (options: StudioOptions) => {
      const { runStudio } = await import("../studio/run-studio.js");
      await runStudio(options, terminal);
    });
}
