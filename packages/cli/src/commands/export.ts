import { Command } from "commander";
import type { Terminal } from "../terminal/terminal.js";

export interface ExportOptions {
  readonly model: string;
  readonly output: string;
  readonly json?: boolean;
}

export function exportCommand(terminal: Terminal): Command {
  return new Command("export")
    .description("Write a model's network for other programs: ONNX, or safetensors with PyTorch's names and layout.")
    .requiredOption("--model <file>", "model.safetensors")
    .requiredOption("-o, --output <file>", "file to write, .onnx or .safetensors")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ mzsr export --model runs/quickstart/model.safetensors -o mzsr.onnx\n")
    .action(async (options: ExportOptions) => {
      const { runExport } = await import("../export/run-export.js");
      await runExport(options, terminal);
    });
}
