import { extname } from "node:path";
import { encodeModel, importNpz, importSafetensors, importTf1Checkpoint, type Model } from "@mzsr/mzsr";
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
export async function runImport(typed: string, options: ImportOptions, terminal: Terminal): Promise<void> {
  const source = await sourceOf(typed);
  const output = await checkOutputFile(options.output, {
    extensions: [".safetensors"],
    force: options.force === true,
    inputs: [source.file],
  });
  if (source.note !== undefined) terminal.note(source.note);
  const model = await source.read(options.scale);
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

interface Source {
  /** That is read, and never replaced. */
  readonly file: string;
  readonly note?: string;
  read(scale: number): Promise<Model>;
}

/** A file by its extension; else a TensorFlow 1 checkpoint. */
async function sourceOf(typed: string): Promise<Source> {
  const extension = extname(typed).toLowerCase();
  if (extension === ".safetensors") return { file: typed, read: (scale) => importSafetensors(typed, scale) };
  if (extension === ".npz") return { file: typed, read: (scale) => importNpz(typed, scale) };
  const prefix = await checkpointPrefix(typed);
  const note = prefix === typed ? {} : { note: `Checkpoint ${prefix}` };
  return { file: `${prefix}.index`, ...note, read: (scale) => importTf1Checkpoint(prefix, scale) };
}
