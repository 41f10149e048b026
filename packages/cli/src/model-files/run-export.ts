import { encodeSafetensors, type WeightChoice } from "@mzsr/mzsr";
import { modelFile } from "../photos/model-path.js";
import { readModelFor } from "../photos/read-model-for.js";
import type { Terminal } from "../progress/terminal.js";
import { channelsFirstTensors } from "./channels-first.js";
import { onnxModel } from "./onnx.js";
import { checkOutputFile } from "./output-file.js";

export interface ExportOptions {
  readonly model: string;
  readonly weights?: WeightChoice;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `mzsr export`. @throws InputError, RunError */
export async function runExport(options: ExportOptions, terminal: Terminal): Promise<void> {
  const output = await checkOutputFile(options.output, {
    extensions: [".onnx", ".safetensors"],
    force: options.force === true,
    inputs: [await modelFile(options.model)],
  });
  const model = await readModelFor(options.model, undefined, options.weights);
  const bytes =
    output.extension === ".onnx"
      ? onnxModel(model)
      : encodeSafetensors(channelsFirstTensors(model), { ...model.metadata, scale: String(model.scale) });
  await output.write(bytes);
  if (options.json === true) terminal.json({ output: output.path, bytes: bytes.length });
  else terminal.line(`${output.path}: ${bytes.length} bytes`);
}
