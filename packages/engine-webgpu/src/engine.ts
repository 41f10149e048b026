import { InputError, type MetaGradient, type MetaProblem, type PatchPairs, portableExp } from "@mzsr/mzsr";
import type { EngineDevice } from "./device/device.js";
import { type BatchTimes, type KernelTime, Program, type Upload } from "./device/program.js";
import { type ConvolutionName, convolutionsOn } from "./kernels/conv-variants.js";
import { type MemoryPlan, planMemory } from "./plan/memory.js";
import { metaCommands } from "./plan/meta-commands.js";
import { metaKernels } from "./plan/meta-kernels.js";
import { type MetaPlan, metaPlan, resultLayout, type SetName, type TaskShape } from "./plan/meta-plan.js";
import { FLOAT_BYTES, type PatchShape, pixelsOf } from "./plan/shapes.js";

/** One task's data; its shapes are the engine's. */
export type EngineTask = Pick<MetaProblem, "theta" | "stepWeights" | "support" | "query"> & {
  /** α where rates are not learned. */
  readonly innerRate?: number;
};

export interface EngineOptions {
  /** Tasks of a batch, at most. Default: as many as memory allows, up to 32. */
  readonly tasks?: number;
  /** Bytes of GPU memory that the engine may take. Default 2 GiB. */
  readonly memoryBytes?: number;
  /** How convolutions are computed, wherever that way can. Default: the way that is known to be the fastest on the device. */
  readonly convolutions?: ConvolutionName;
}

/**
 * Computes the meta-gradients of many tasks at once, as `metaGradient` of the core does for one. Tasks of a batch do
 * not touch each other: a task's result is the same, to the bit, in whatever batch it comes.
 */
export class MetaGradientEngine {
  /** How the memory is used. */
  readonly memory: MemoryPlan;
  readonly #plan: MetaPlan;
  readonly #program: Program;

  private constructor(plan: MetaPlan, memory: MemoryPlan, program: Program) {
    this.#plan = plan;
    this.memory = memory;
    this.#program = program;
  }

  /**
   * Plans, compiles and allocates.
   *
   * @throws InputError when the shape or the memory does not do; RunError when the device fails
   */
  static async create(
    device: EngineDevice,
    shape: TaskShape,
    options: EngineOptions = {},
  ): Promise<MetaGradientEngine> {
    const plan = metaPlan(shape);
    const memory = planMemory(shape, { ...options, limits: device.description.limits });
    const program = await Program.create(device, {
      kernels: metaKernels(plan, convolutionsOn(device.description, options.convolutions)),
      regions: memory.regions,
      commands: (batch) => metaCommands(plan, memory, batch),
      resultBytes: (batch) => resultLayout(plan, batch).size * FLOAT_BYTES,
    });
    const { flatOf, paddedOf, tensorOf, tensorGroups } = plan.layout;
    program.write({ region: "flat of padded", offset: 0, data: flatOf });
    program.write({ region: "padded of flat", offset: 0, data: paddedOf });
    program.write({ region: "tensor of group", offset: 0, data: tensorOf });
    if (shape.learnedRates) program.write({ region: "groups of tensor", offset: 0, data: tensorGroups });
    return new MetaGradientEngine(plan, memory, program);
  }

  /** Tasks of a batch, at most. */
  get tasks(): number {
    return this.memory.tasks;
  }

  /** Dispatches of a batch, whatever its size. */
  get dispatches(): number {
    return metaCommands(this.#plan, this.memory, 1).length;
  }

  /** Bytes of GPU memory in use. */
  get bytes(): number {
    return this.#program.bytes;
  }

  /**
   * Computes one batch. While it computes, the next may be given already: its data go to the GPU meanwhile.
   *
   * @param tasks 1 to `this.tasks`; a θ that all share is uploaded once
   * @param took told how long the batch's parts took
   * @returns results in the tasks' order
   * @throws InputError when a task has not the engine's shape; RunError when the device fails
   */
  async run(tasks: readonly EngineTask[], took?: (times: BatchTimes) => void): Promise<MetaGradient[]> {
    if (tasks.length < 1 || tasks.length > this.tasks) {
      throw new InputError(`a batch of ${tasks.length} tasks`, { expected: `1 to ${this.tasks}` });
    }
    for (const task of tasks) requireTask(this.#plan, task);
    const rates = tasks.map((task) => innerRates(this.#plan, task));
    const read = (result: Float32Array) =>
      tasks.map((task, k) => resultOf(this.#plan, tasks.length, k, task, rates[k]!, result));
    return this.#program.run(tasks.length, uploadsOf(this.#plan, tasks, rates), read, took);
  }

  /** GPU time by kernel of a batch with the last batch's data, where the device profiles. */
  profile(batch: number): Promise<KernelTime[]> {
    return this.#program.profile(batch);
  }

  /** Frees all that the engine has on the device. */
  destroy(): void {
    this.#program.destroy();
  }
}

function requireTask(plan: MetaPlan, { theta, stepWeights, support, query, innerRate }: EngineTask): void {
  const { innerSteps, learnedRates } = plan.shape;
  const size = plan.networkFloats + (learnedRates ? innerSteps * plan.tensors : 0);
  requireLength("theta", theta, size);
  requireLength("stepWeights", stepWeights, innerSteps);
  if (!learnedRates && innerRate === undefined) throw new InputError("a task has no innerRate");
  requirePairs("support", support, plan.sets.support.shape);
  requirePairs("query", query, plan.sets.query.shape);
}

export function requirePairs(name: string, { shape, x, y }: PatchPairs, wanted: PatchShape): void {
  const { patches, height, width } = wanted;
  const expected = [patches, height, width, 3];
  if (shape.length !== 4 || expected.some((side, i) => shape[i] !== side)) {
    throw new InputError(`${name} has the shape ${shape.join(" × ")}`, { expected: expected.join(" × ") });
  }
  requireLength(`${name}.x`, x, 3 * pixelsOf(wanted));
  requireLength(`${name}.y`, y, 3 * pixelsOf(wanted));
}

export function requireLength(name: string, values: ArrayLike<number>, length: number): void {
  if (values.length !== length) {
    throw new InputError(`${name} has ${values.length} elements`, { expected: `${length}` });
  }
}

/** α_{j,p} at j · tensors + p. */
function innerRates({ shape, networkFloats, tensors }: MetaPlan, { theta, innerRate }: EngineTask): Float64Array {
  return Float64Array.from({ length: shape.innerSteps * tensors }, (_, i) =>
    shape.learnedRates ? portableExp(theta[networkFloats + i]!) : innerRate!,
  );
}

function uploadsOf(plan: MetaPlan, tasks: readonly EngineTask[], rates: readonly Float64Array[]): Upload[] {
  const { networkFloats, sets } = plan;
  const shared = tasks.every(({ theta }) => theta === tasks[0]!.theta);
  const uploads: Upload[] = [
    { region: "batch", offset: 0, data: Uint32Array.of(tasks.length, shared ? 0 : networkFloats, 0, 0) },
    { region: "rows", offset: 0, data: settingRows(plan, tasks, rates) },
  ];
  tasks.forEach((task, k) => {
    if (k === 0 || !shared) {
      const data = task.theta.subarray(0, networkFloats);
      uploads.push({ region: "uploaded theta", offset: k * networkFloats * FLOAT_BYTES, data });
    }
    for (const set of ["support", "query"] as const) {
      const offset = k * 3 * pixelsOf(sets[set].shape) * FLOAT_BYTES;
      uploads.push({ region: `uploaded ${set} x`, offset, data: task[set].x });
      uploads.push({ region: `uploaded ${set} y`, offset, data: task[set].y });
    }
  });
  return uploads;
}

/** [T + 1][K] rows: the rates of step j, the scale of the support loss's gradient, that of the query loss at θ_j. */
function settingRows(plan: MetaPlan, tasks: readonly EngineTask[], rates: readonly Float64Array[]): Float32Array {
  const { shape, tensors, rowFloats, sets } = plan;
  const values = (set: SetName) => 3 * pixelsOf(sets[set].shape);
  const rows = new Float32Array((shape.innerSteps + 1) * tasks.length * rowFloats);
  for (let step = 0; step <= shape.innerSteps; step++) {
    tasks.forEach(({ stepWeights }, k) => {
      const start = (step * tasks.length + k) * rowFloats;
      rows.set(rates[k]!.subarray(step * tensors, (step + 1) * tensors), start);
      rows[start + tensors] = 1 / values("support");
      rows[start + tensors + 1] = step === 0 ? 0 : stepWeights[step - 1]! / values("query");
    });
  }
  return rows;
}

function resultOf(
  plan: MetaPlan,
  batch: number,
  k: number,
  { stepWeights }: EngineTask,
  rates: Float64Array,
  result: Float32Array,
): MetaGradient {
  const { shape, networkFloats, tensors } = plan;
  const layout = resultLayout(plan, batch);
  const gradient = new Float32Array(networkFloats + (shape.learnedRates ? shape.innerSteps * tensors : 0));
  gradient.set(result.subarray(k * networkFloats, (k + 1) * networkFloats));
  if (shape.learnedRates) {
    for (let i = 0; i < rates.length; i++) {
      const row = layout.products + (Math.floor(i / tensors) * batch + k) * layout.productStride;
      gradient[networkFloats + i] = -rates[i]! * result[row + (i % tensors)]!;
    }
  }
  const supportLosses = Array.from(
    { length: shape.innerSteps },
    (_, j) => result[layout.supportLosses + j * batch + k]!,
  );
  const queryLosses = Array.from({ length: shape.innerSteps + 1 }, (_, j) => {
    const reported = j === 0 ? plan.firstQuery === 0 : j === shape.innerSteps || stepWeights[j - 1] !== 0;
    return reported ? result[layout.queryLosses + j * batch + k]! : Number.NaN;
  });
  let outerLoss = 0;
  for (let j = 1; j <= shape.innerSteps; j++) {
    if (stepWeights[j - 1] !== 0) outerLoss += stepWeights[j - 1]! * queryLosses[j]!;
  }
  return { gradient, supportLosses, queryLosses, outerLoss };
}
