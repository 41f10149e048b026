import type { AdapterDescription } from "@mzsr/engine-webgpu";
import { type GpuReading, readGpus } from "./nvidia-smi.js";

/** What others have not taken may not all be had: the driver keeps some, and memory is given in large pieces. */
const SHARE = 0.85;

/** WebGPU tells nobody how much memory a GPU has. This much has any that is worth using. */
export const UNKNOWN_GPU_BYTES = 2 * 2 ** 30;

/**
 * How many bytes of a GPU's memory to take: most of what is free, where it is known.
 * @param read reads the GPUs that nvidia-smi knows
 */
export async function gpuMemoryBytes(
  { vendor, name }: Pick<AdapterDescription, "vendor" | "name">,
  read: () => Promise<readonly GpuReading[]> = readGpus,
): Promise<number> {
  if (vendor !== "nvidia") return UNKNOWN_GPU_BYTES;
  const ofThatName = (await read()).filter((gpu) => gpu.name === name);
  if (ofThatName.length === 0) return UNKNOWN_GPU_BYTES;
  const free = ofThatName.map(({ memoryTotalBytes, memoryUsedBytes }) => memoryTotalBytes - memoryUsedBytes);
  // Which of several equal cards it is, WebGPU does not tell either.
  return Math.floor(SHARE * Math.min(...free));
}
