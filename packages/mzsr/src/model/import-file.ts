/** Networks in files of other programs. */
import { parseNpyArray } from "../degradation/npy-file.js";
import { readInputFile } from "../files/input-file.js";
import { readZip } from "../files/zip.js";
import type { Model } from "./model.js";
import { LARGEST_MODEL_BYTES } from "./model-file.js";
import { modelOfTensors } from "./named-tensors.js";
import { decodeSafetensors, type NamedTensor } from "./safetensors.js";

/**
 * Imports a network from a safetensors file with PyTorch's names and layout.
 * @param scale what the network was trained for; the file does not say
 * @throws InputError when the file is missing or damaged, or holds no such network
 */
export async function importSafetensors(path: string, scale: number): Promise<Model> {
  const bytes = await readInputFile(path, "a safetensors file", LARGEST_MODEL_BYTES);
  return modelOfTensors(decodeSafetensors(bytes, path).tensors, scale, path, "safetensors");
}

/**
 * Imports a network from a `.npz` file: arrays that `numpy.savez` saved by the tensors' names.
 * @throws InputError as `importSafetensors`
 */
export async function importNpz(path: string, scale: number): Promise<Model> {
  const bytes = await readInputFile(path, "a .npz file", LARGEST_MODEL_BYTES);
  const tensors = new Map<string, NamedTensor>();
  for (const [file, content] of readZip(bytes, path, LARGEST_UNPACKED_BYTES)) {
    if (!file.endsWith(".npy")) continue;
    const name = file.slice(0, -".npy".length);
    tensors.set(name, { name, ...parseNpyArray(content, `${path}: ${name}`) });
  }
  return modelOfTensors(tensors, scale, path, "NumPy archive");
}

/** Of float64. */
const LARGEST_UNPACKED_BYTES = 2 * LARGEST_MODEL_BYTES;
