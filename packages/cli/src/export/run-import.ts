import { importTf1Checkpoint, writeModel } from "@mzsr/shared";
import type { ImportOptions } from "../commands/import.js";
import type { Terminal } from "../terminal/terminal.js";
import { checkOutputFile } from "./output-file.js";

/** `mzsr import`. @throws InputError */
export async function runImport(checkpoint: string, options: ImportOptions, terminal: Terminal): Promise<void> {
  await checkOutputFile(options.output, [".safetensors"]);
  const model = await importTf1Checkpoint(checkpoint.replace(/\.index$/, ""), options.scale);
  await writeModel(options.output, model);
  const { depth, width } = model.architecture;
  if (options.json === true) {
    terminal.json({ output: options.output, depth, width, scale: model.scale, parameters: model.parameters.length });
  } else {
    terminal.line(
      `${options.output}: depth ${depth}, width ${width}, ${model.parameters.length} parameters, ×${model.scale}`,
    );
  }
}
