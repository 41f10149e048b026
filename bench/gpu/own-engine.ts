import {
  type ConvolutionName,
  type EngineDevice,
  type EngineOptions,
  type KernelTime,
  MetaGradientEngine,
} from "@mzsr/engine-webgpu";
import { goldenTasks, relativeL2 } from "../../packages/engine-webgpu/src/testing/golden-tasks.js";
import { type GpuCase, randomTasks, shapeOf } from "./cases.js";

export interface EngineSpeed {
  readonly convolutions: ConvolutionName;
  /** Of a batch: fewer than asked for where memory is short. */
  readonly tasks: number;
  readonly tasksPerSecond: number;
  readonly bytes: number;
  readonly memory: string;
  readonly kernels: readonly KernelTime[];
}

/** Tasks per second with two batches on their way, over so many seconds; GPU time by kernel where the card tells. */
export async function engineSpeed(
  device: EngineDevice,
  each: GpuCase,
  options: EngineOptions & { readonly convolutions: ConvolutionName; readonly seconds: number },
): Promise<EngineSpeed> {
  const engine = await MetaGradientEngine.create(device, shapeOf(each), options);
  try {
    const batch = randomTasks(each, engine.tasks);
    for (let i = 0; i < 3; i++) await engine.run(batch);
    const start = performance.now();
    const elapsed = () => (performance.now() - start) / 1000;
    let done = 0;
    const lane = async () => {
      while (elapsed() < options.seconds) {
        await engine.run(batch);
        done += batch.length;
      }
    };
    await Promise.all([lane(), lane()]);
    const tasksPerSecond = done / elapsed();
    const kernels = device.profiles ? await engine.profile(batch.length) : [];
    const { convolutions } = options;
    return {
      convolutions,
      tasks: batch.length,
      tasksPerSecond,
      bytes: engine.bytes,
      memory: engine.memory.line,
      kernels,
    };
  } finally {
    engine.destroy();
  }
}

/** The largest relative error of a tensor over all golden cases. */
export async function worstGoldenError(
  device: EngineDevice,
  folder: URL,
  convolutions: ConvolutionName,
): Promise<number> {
  let worst = 0;
  for (const { shape, task, gradient } of goldenTasks(folder)) {
    const engine = await MetaGradientEngine.create(device, shape, { tasks: 1, convolutions });
    const [result] = await engine.run([task]);
    engine.destroy();
    let offset = 0;
    for (const tensor of gradient) {
      worst = Math.max(worst, relativeL2(result!.gradient.subarray(offset, offset + tensor.length), tensor));
      offset += tensor.length;
    }
  }
  return worst;
}
