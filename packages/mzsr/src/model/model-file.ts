import { writeFileAtomically } from "../files/atomic-file.js";
import { readInputFile } from "../files/input-file.js";
import { decodeModel, encodeModel, type Model } from "./model.js";

/** The largest network that can be trained (depth 32, width 256) has 71 MB; reading takes three times the file. */
export const LARGEST_MODEL_BYTES = 2 ** 28;

/** Writes a model as safetensors; the file is whole or absent. */
export async function writeModel(path: string, model: Model): Promise<void> {
  await writeFileAtomically(path, encodeModel(model));
}

/**
 * Reads a model.
 *
 * @throws InputError when the file is missing, cut short, not a model, or holds a number that is not finite
 */
export async function readModel(path: string): Promise<Model> {
  const bytes = await readInputFile(path, "a model file", LARGEST_MODEL_BYTES);
  return decodeModel(bytes, path);
}
