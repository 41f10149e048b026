import { encodeModel, importTf1Checkpoint } from "@mzsr/mzsr";
import type { Terminal } from "../progress/terminal.js";
import { checkpointPrefix } from "./checkpoint-path.js";
import { checkOutputFile } from "./output-file.js";

export interface ImportOptions {
  readonly scale: number;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `mzsr import`. @throws InputError, RunError */
export async function runImport(checkpoint: string, options: ImportOptions, terminal: Terminal): Promise<void> {
  const prefix = await checkpointPrefix(checkpoint);
  const output = await checkOutputFile(options.output, {
    extensions: [".safetensors"],
    force: options.force === true,
    inputs: [`${prefix}.index`],
  });
  if (prefix !== checkpoint) terminal.note(`Checkpoint ${prefix}`);
  const model = await importTf1Checkpoint(prefix, options.scale);
  await output.write(encodeModel(model));
  const { depth, width } = model.architecture;
  if (options.json === true) {
    terminal.json({ output: output.path, depth, width, scale: model.scale, parameters: model.parameters.length });
  } else {
    terminal.line(
      `${output.path}: depth ${depth}, width ${width}, ${model.parameters.length} parameters, ×${model.scale}`,
    );
  }
}
