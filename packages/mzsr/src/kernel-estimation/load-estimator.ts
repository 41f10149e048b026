import { fileURLToPath } from "node:url";
import { readInputFile } from "../files/input-file.js";
import type { Image } from "../imaging/image.js";
import { type EstimateOptions, estimateKernelWith, type KernelEstimate } from "./estimate-kernel.js";
import { decodeEstimator, type KernelEstimator } from "./estimator.js";

/** The estimator that comes with the package; its card lies beside it. */
const SHIPPED = fileURLToPath(new URL("../../estimator/kernel-estimator.safetensors", import.meta.url));

const LARGEST_FILE_BYTES = 16 * 1024 * 1024;

let shipped: Promise<KernelEstimator> | undefined;

/** The estimator that comes with the package, read once. */
export function shippedEstimator(): Promise<KernelEstimator> {
  shipped ??= readEstimator();
  return shipped;
}

/**
 * An estimator from its file, or the one that comes with the package.
 * @throws InputError when there is none
 */
export async function readEstimator(path: string = SHIPPED): Promise<KernelEstimator> {
  return decodeEstimator(await readInputFile(path, "a file that train-estimator wrote", LARGEST_FILE_BYTES), path);
}

/**
 * How a photo was blurred, as far as it shows: the blur kernel to adapt a model with.
 * @param options scale of the enlargement (default 2), downsampling (default direct); an estimator, if not the package's own
 * @throws InputError when the estimator was not trained for the downsampling
 */
export async function estimateKernel(
  photo: Image,
  { estimator, ...options }: EstimateOptions & { readonly estimator?: KernelEstimator } = {},
): Promise<KernelEstimate> {
  return estimateKernelWith(estimator ?? (await shippedEstimator()), photo, options);
}
