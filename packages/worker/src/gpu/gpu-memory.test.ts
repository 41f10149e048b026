import { expect, it } from "vitest";
import { gpuMemoryBytes, UNKNOWN_GPU_BYTES } from "./gpu-memory.js";
import { parseGpus } from "./nvidia-smi.js";

const cards = parseGpus(
  "0, NVIDIA A, 1, 0, 10000, 80000, 40\n1, NVIDIA A, 1, 0, 0, 80000, 40\n2, NVIDIA B, 1, 0, 0, 8000, 40\n",
);
const MEBIBYTE = 2 ** 20;

it("most of what is free on the fullest card of the name is taken, and a little where nobody knows", async () => {
  const memory = (vendor: string, name: string) => gpuMemoryBytes({ vendor, name }, async () => cards);
  expect(await memory("nvidia", "NVIDIA A")).toBe(Math.floor(0.85 * 70000 * MEBIBYTE));
  expect(await memory("nvidia", "NVIDIA C")).toBe(UNKNOWN_GPU_BYTES);
  expect(await memory("amd", "NVIDIA A")).toBe(UNKNOWN_GPU_BYTES);
});
