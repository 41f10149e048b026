import { type EngineDevice, openDevice } from "../device/device.js";
import { type EngineTask, MetaGradientEngine } from "../engine.js";
import type { TaskShape } from "../plan/meta-plan.js";

const patches = { patches: 2, height: 8, width: 8 };

export const SHAPE: TaskShape = {
  architecture: { depth: 3, width: 8 },
  support: patches,
  query: patches,
  innerSteps: 2,
  order: 2,
  learnedRates: false,
};

/** A task of zeros. */
export function zeroTask(): EngineTask {
  const images = { shape: [2, 8, 8, 3] as const, x: new Float32Array(384), y: new Float32Array(384) };
  return { theta: new Float32Array(1027), innerRate: 0.01, stepWeights: [0.5, 0.5], support: images, query: images };
}

/** An engine on Dawn's null backend: everything happens but the computation. */
export async function nullEngine(tasks: number): Promise<{ device: EngineDevice; engine: MetaGradientEngine }> {
  const device = await openDevice({ backend: "null" });
  return { device, engine: await MetaGradientEngine.create(device, SHAPE, { tasks }) };
}
