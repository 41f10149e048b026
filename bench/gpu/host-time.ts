import { MetaGradientEngine, openDevice } from "@mzsr/engine-webgpu";
import { type GpuCase, randomTasks, shapeOf } from "./cases.js";

/** The null backend's memory is what the host has, and it grants no more than half a gigabyte. */
const NULL_BYTES = 450e6;

export interface HostTime {
  /** Fewer than asked for where memory is short. */
  readonly tasks: number;
  readonly dispatches: number;
  /** Milliseconds of processor time from the call to the results: all threads, the upload and the reading included. */
  readonly milliseconds: number;
}

/** What a batch costs the host, on Dawn's null backend, which computes nothing: the median of many. */
export async function hostTime(each: GpuCase, tasks: number): Promise<HostTime> {
  const device = await openDevice({ backend: "null" });
  const engine = await MetaGradientEngine.create(device, shapeOf(each), { tasks, memoryBytes: NULL_BYTES });
  const batch = randomTasks(each, engine.tasks);
  const times: number[] = [];
  for (let i = 0; i < 60; i++) {
    const start = process.cpuUsage();
    await engine.run(batch);
    const { user, system } = process.cpuUsage(start);
    if (i >= 20) times.push((user + system) / 1000);
  }
  const { dispatches } = engine;
  device.destroy();
  return { tasks: batch.length, dispatches, milliseconds: times.sort((a, b) => a - b)[times.length >> 1]! };
}
