import { Worker } from "node:worker_threads";
import type { AdapterDescription } from "@mzsr/engine-webgpu";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
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
  const worker = new Worker(entry, { workerData: { device } satisfies GpuThreadData });
  try {
    return { worker, adapter: await ready(worker) };
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

function ready(worker: Worker): Promise<AdapterDescription> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      worker.off("message", hear).off("error", fail).off("exit", end);
      action();
    };
    const hear = (message: FromGpuThread) => {
      if (message.type === "ready") settle(() => resolve(message.adapter));
      if (message.type !== "broken") return;
      settle(() => reject(message.badInput ? new InputError(message.reason) : new RunError(message.reason)));
    };
    const fail = (error: Error) =>
      settle(() => reject(new RunError(`the GPU's thread did not start: ${messageOf(error)}`)));
    const end = (code: number) =>
      settle(() => reject(new RunError(`the GPU's thread ended at its start with code ${code}`)));
    worker.on("message", hear).on("error", fail).on("exit", end);
  });
}
