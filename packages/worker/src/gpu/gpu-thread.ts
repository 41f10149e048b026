/** Entry of the thread that has the GPU: opens it, computes batches, and ends when it is lost. */
import { parentPort, workerData } from "node:worker_threads";
import { type EngineDevice, openDevice } from "@mzsr/engine-webgpu";
import { InputError, messageOf } from "@mzsr/mzsr";
import type { Batch, FromGpuThread, GpuThreadData } from "./gpu-messages.js";
import { GpuTasks } from "./gpu-tasks.js";

const port = parentPort;
if (port === null) throw new Error("gpu-thread.js is the entry of a worker thread");

const say = (message: FromGpuThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function compute(tasks: GpuTasks, device: EngineDevice, batch: Batch): Promise<void> {
  try {
    const { results, times } = await tasks.run(batch);
    say(
      { type: "done", id: batch.id, results, times },
      results.map(({ gradient }) => gradient.buffer as ArrayBuffer),
    );
  } catch (error) {
    say({ type: "failed", id: batch.id, reason: messageOf(error) });
    // A device that failed stays so: the thread ends, and another one opens it anew.
    if (device.failure !== undefined) throw new Error(device.failure);
  }
}

try {
  const { device: index } = workerData as GpuThreadData;
  const device = await openDevice(index === undefined ? {} : { device: index });
  const tasks = new GpuTasks(device);
  port.on("message", (batch: Batch) => void compute(tasks, device, batch));
  say({ type: "ready", adapter: device.description });
} catch (error) {
  say({ type: "broken", reason: messageOf(error), badInput: error instanceof InputError });
}
