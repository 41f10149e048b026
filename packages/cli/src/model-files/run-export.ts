import { basename } from "node:path";
import { encodeSafetensors, scaleMetadata, type WeightChoice } from "@mzsr/mzsr";
import { modelFile } from "../photos/model-path.js";
import { readModelFor } from "../photos/read-model-for.js";
import type { Terminal } from "../progress/terminal.js";
import { channelsFirstTensors } from "./channels-first.js";
import { onnxModel } from "./onnx.js";
import { checkOutputFile, type OutputFile, type OutputOptions } from "./output-file.js";
import { tfjsLayersModel } from "./tfjs-layers.js";

export interface ExportOptions {
  readonly model: string;
  readonly weights?: WeightChoice;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `mzsr export`. @throws InputError, RunError */
export async function runExport(options: ExportOptions, terminal: Terminal): Promise<void> {
  const rules = { force: options.force === true, inputs: [await modelFile(options.model)] };
  const output = await checkOutputFile(options.output, { ...rules, extensions: [".onnx", ".safetensors", ".json"] });
  if (output.extension === ".json") return exportLayersModel(output, rules, options, terminal);
  const model = await readModelFor(options.model, undefined, options.weights);
  const bytes =
    output.extension === ".onnx"
      ? onnxModel(model)
      : encodeSafetensors(channelsFirstTensors(model), { ...model.metadata, ...scaleMetadata(model) });
  await output.write(bytes);
  if (options.json === true) terminal.json({ output: output.path, bytes: bytes.length });
  else terminal.line(`${output.path}: ${bytes.length} bytes`);
}

/** Two files: the weights first, so that a topology never stands without them. */
async function exportLayersModel(
  output: OutputFile,
  rules: Pick<OutputOptions, "force" | "inputs">,
  options: ExportOptions,
  terminal: Terminal,
): Promise<void> {
  const path = `${output.path.slice(0, -".json".length)}.weights.bin`;
  const beside = await checkOutputFile(path, { ...rules, extensions: [".bin"], where: path });
  const model = await readModelFor(options.model, undefined, options.weights);
  const { json, weights } = tfjsLayersModel(model, basename(path));
  await beside.write(weights);
  await output.write(json);
  const files = [
    { output: output.path, bytes: json.length },
    { output: path, bytes: weights.length },
  ];
  if (options.json === true) terminal.json({ ...files[0], weights: files[1] });
  else for (const file of files) terminal.line(`${file.output}: ${file.bytes} bytes`);
}
