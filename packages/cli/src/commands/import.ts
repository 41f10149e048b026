import { Command } from "commander";
import type { ImportOptions } from "../model-files/run-import.js";
import type { Terminal } from "../progress/terminal.js";
import { wholeNumber } from "./arguments.js";

export function importCommand(terminal: Terminal): Command {
  return new Command("import")
    .description(
      "Make a model of a network from elsewhere: a TensorFlow 1 checkpoint, safetensors of PyTorch, or .npz.",
    )
    .argument(
      "<network>",
      ".safetensors, .npz, or a checkpoint: its prefix, one of its files (.index, .meta, .data-…), its folder",
    )
    .option("--scale <s>", "what the network was trained for", wholeNumber(2, 4), 2)
    .requiredOption("-o, --output <file>", "model.safetensors to write")
    .option("--force", "replace the file of that name; an input is never replaced")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr import Pretrained/Pretrained --scale 2 -o pretrained.safetensors\n  $ npx mzsr import network.npz -o model.safetensors\n",
    )
    .action(async (network: string, options: ImportOptions) => {
      const { runImport } = await import("../model-files/run-import.js");
      await runImport(network, options, terminal);
    });
}
