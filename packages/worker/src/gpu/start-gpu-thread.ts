import type { Worker } from "node:worker_threads";
import type { AdapterDescription } from "@mzsr/engine-webgpu";
import { startThread } from "../compute/start-thread.js";
import type { FromGpuThread, GpuThreadData } from "./gpu-messages.js";

/** A thread that has opened its GPU. */
export interface GpuThread {
  readonly worker: Worker;
  readonly adapter: AdapterDescription;
}

/**
 * Starts the thread that has the GPU, and waits until it is open.
 *
 * @throws InputError or RunError with the thread's reason
 */
export async function startGpuThread(
  device: number | undefined,
  entry: URL = new URL("./gpu-thread.js", import.meta.url),
): Promise<GpuThread> {
  const data: GpuThreadData = { device };
  const { worker, ready } = await startThread<Ready>("the GPU's thread", entry, data);
  return { worker, adapter: ready.adapter };
}

type Ready = Extract<FromGpuThread, { type: "ready" }>;
