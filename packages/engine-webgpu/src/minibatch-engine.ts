import { type Architecture, InputError, type PatchPairs } from "@mzsr/mzsr";
import type { EngineDevice } from "./device/device.js";
import { type BatchTimes, Program, type Upload } from "./device/program.js";
import { type EngineOptions, requireLength, requirePairs } from "./engine.js";
import { convolutionsOn } from "./kernels/conv-variants.js";
import { type MemoryOptions, type MinibatchMemory, planMinibatches } from "./plan/memory.js";
import { minibatchCommands } from "./plan/meta-commands.js";
import { metaKernels } from "./plan/meta-kernels.js";
import { type MetaPlan, metaPlan, resultLayout } from "./plan/meta-plan.js";
import { FLOAT_BYTES, type PatchShape, pixelsOf } from "./plan/shapes.js";

export interface MinibatchShape {
  readonly architecture: Architecture;
  readonly patches: PatchShape;
}

export interface MinibatchTask {
  /** The network in layout order. */
  readonly parameters: Float32Array;
  readonly pairs: PatchPairs;
}

/** Computes the L1 gradients of several minibatches at once, as `minibatchGradient` of the core does for one. */
export class MinibatchEngine {
  readonly memory: MinibatchMemory;
  readonly #plan: MetaPlan;
  readonly #program: Program;

  private constructor(plan: MetaPlan, memory: MinibatchMemory, program: Program) {
    this.#plan = plan;
    this.memory = memory;
    this.#program = program;
  }

  /** @throws InputError when the shape or the memory does not do; RunError when the device fails */
  static async create(
    device: EngineDevice,
    { architecture, patches }: MinibatchShape,
    options: EngineOptions = {},
  ): Promise<MinibatchEngine> {
    const plan = planOf({ architecture, patches });
    const memory = planMinibatches(plan, minibatchCommands(plan, 1), {
      ...options,
      limits: device.description.limits,
    });
    const program = await Program.create(device, {
      kernels: metaKernels(plan, convolutionsOn(device.description, options.convolutions)),
      regions: memory.regions,
      commands: (batch) => minibatchCommands(plan, batch),
      resultBytes: (batch) => resultLayout(plan, batch).queryLosses * FLOAT_BYTES,
    });
    program.write({ region: "flat of padded", offset: 0, data: plan.layout.flatOf });
    program.write({ region: "padded of flat", offset: 0, data: plan.layout.paddedOf });
    return new MinibatchEngine(plan, memory, program);
  }

  /** Minibatches of a batch, at most. */
  get tasks(): number {
    return this.memory.tasks;
  }

  /**
   * @param took told how long the batch's parts took
   * @returns in the minibatches' order, the gradient in layout order and the loss
   * @throws InputError when one has not the engine's shape; RunError when the device fails
   */
  async run(
    tasks: readonly MinibatchTask[],
    took?: (times: BatchTimes) => void,
  ): Promise<{ gradient: Float32Array; loss: number }[]> {
    if (tasks.length < 1 || tasks.length > this.tasks) {
      throw new InputError(`a batch of ${tasks.length} minibatches`, { expected: `1 to ${this.tasks}` });
    }
    const { networkFloats, sets } = this.#plan;
    for (const { parameters, pairs } of tasks) {
      requireLength("parameters", parameters, networkFloats);
      requirePairs("pairs", pairs, sets.support.shape);
    }
    const { supportLosses } = resultLayout(this.#plan, tasks.length);
    const read = (result: Float32Array) =>
      tasks.map((_, k) => ({
        gradient: result.slice(k * networkFloats, (k + 1) * networkFloats),
        loss: result[supportLosses + k]!,
      }));
    return this.#program.run(tasks.length, uploadsOf(this.#plan, tasks), read, took);
  }

  /** Frees all that the engine has on the device. */
  destroy(): void {
    this.#program.destroy();
  }
}

/**
 * Decides how many minibatches fit at once, before anything is allocated.
 *
 * @throws InputError when not even one does
 */
export function planMinibatchMemory(shape: MinibatchShape, options: MemoryOptions): MinibatchMemory {
  const plan = planOf(shape);
  return planMinibatches(plan, minibatchCommands(plan, 1), options);
}

function planOf({ architecture, patches }: MinibatchShape): MetaPlan {
  return metaPlan({
    architecture,
    support: patches,
    query: patches,
    innerSteps: 1,
    order: 1,
    learnedRates: false,
  });
}

function uploadsOf({ networkFloats, rowFloats, tensors, sets }: MetaPlan, tasks: readonly MinibatchTask[]): Upload[] {
  const shared = tasks.every(({ parameters }) => parameters === tasks[0]!.parameters);
  const values = 3 * pixelsOf(sets.support.shape);
  const rows = new Float32Array(tasks.length * rowFloats);
  for (let k = 0; k < tasks.length; k++) rows[k * rowFloats + tensors] = 1 / values;
  const batch = Uint32Array.of(tasks.length, shared ? 0 : networkFloats, 0, 0);
  const uploads: Upload[] = [
    { region: "batch", offset: 0, data: batch },
    { region: "rows", offset: 0, data: rows },
  ];
  tasks.forEach(({ parameters, pairs }, k) => {
    if (k === 0 || !shared) {
      uploads.push({ region: "uploaded theta", offset: k * networkFloats * FLOAT_BYTES, data: parameters });
    }
    const offset = k * values * FLOAT_BYTES;
    uploads.push({ region: "uploaded support x", offset, data: pairs.x });
    uploads.push({ region: "uploaded support y", offset, data: pairs.y });
  });
  return uploads;
}
