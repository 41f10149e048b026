import { encodeSafetensors, readModel, writeFileAtomically } from "@mzsr/shared";
import type { ExportOptions } from "../commands/export.js";
import type { Terminal } from "../terminal/terminal.js";
import { channelsFirstTensors } from "./channels-first.js";
import { onnxModel } from "./onnx.js";
import { checkOutputFile } from "./output-file.js";

/** `mzsr export`. @throws InputError */
export async function runExport(options: ExportOptions, terminal: Terminal): Promise<void> {
  const extension = await checkOutputFile(options.output, [".onnx", ".safetensors"]);
  const model = await readModel(options.model);
  const bytes =
    extension === ".onnx"
      ? onnxModel(model)
      : encodeSafetensors(channelsFirstTensors(model), { ...model.metadata, scale: String(model.scale) });
  await writeFileAtomically(options.output, bytes);
  if (options.json === true) terminal.json({ output: options.output, bytes: bytes.length });
  else terminal.line(`${options.output}: ${bytes.length} bytes`);
}
