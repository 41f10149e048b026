import { Command } from "commander";
import type { ExportOptions } from "../model-files/run-export.js";
import type { Terminal } from "../progress/terminal.js";
import { weightsOption } from "./weights-option.js";

export function exportCommand(terminal: Terminal): Command {
  return new Command("export")
    .description(
      "Write a model's network for other programs: ONNX, TensorFlow.js, or safetensors as PyTorch names them.",
    )
    .requiredOption("--model <path>", "model.safetensors, or the folder of a finished run")
    .addOption(weightsOption())
    .requiredOption(
      "-o, --output <file>",
      "file to write: .onnx, .safetensors, or .json for TensorFlow.js (weights beside it)",
    )
    .option("--force", "replace the file of that name; an input is never replaced")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ npx mzsr export --model runs/quickstart/model.safetensors -o mzsr.onnx\n")
    .action(async (options: ExportOptions) => {
      const { runExport } = await import("../model-files/run-export.js");
      await runExport(options, terminal);
    });
}
