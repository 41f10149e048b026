import { type Architecture, InputError, type PatchPairs } from "@mzsr/mzsr";
import type { EngineDevice } from "../device/device.js";
import { Program, type Upload } from "../device/program.js";
import { type EngineOptions, requireLength, requirePairs } from "../engine.js";
import { convolutionsOn } from "../kernels/conv-variants.js";
import { planMinibatches } from "../plan/memory.js";
import { descentCommands } from "../plan/meta-commands.js";
import { metaKernels } from "../plan/meta-kernels.js";
import { type MetaPlan, metaPlan, resultLayout } from "../plan/meta-plan.js";
import { FLOAT_BYTES, type PatchShape, pixelsOf } from "../plan/shapes.js";

export interface DescentShape {
  readonly architecture: Architecture;
  readonly patches: PatchShape;
}

/** Plain gradient descent of a network on one set of patches: adaptation to a photo, or ZSSR. */
export class DescentEngine {
  readonly #plan: MetaPlan;
  readonly #program: Program;
  #uploaded: PatchPairs | undefined;

  private constructor(plan: MetaPlan, program: Program) {
    this.#plan = plan;
    this.#program = program;
  }

  /** @throws InputError when the shape or the memory does not do; RunError when the device fails */
  static async create(
    device: EngineDevice,
    { architecture, patches }: DescentShape,
    { memoryBytes }: Pick<EngineOptions, "memoryBytes"> = {},
  ): Promise<DescentEngine> {
    const oneStep = { innerSteps: 1, order: 1, learnedRates: false } as const;
    const plan = metaPlan({ architecture, support: patches, query: patches, ...oneStep });
    const options = {
      tasks: 1,
      limits: device.description.limits,
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    };
    const program = await Program.create(device, {
      kernels: metaKernels(plan, convolutionsOn(device.description)),
      regions: planMinibatches(plan, descentCommands(plan, 1), options).regions,
      commands: (batch) => descentCommands(plan, batch),
      resultBytes: (batch) => resultLayout(plan, batch).queryLosses * FLOAT_BYTES,
    });
    program.write({ region: "flat of padded", offset: 0, data: plan.layout.flatOf });
    program.write({ region: "padded of flat", offset: 0, data: plan.layout.paddedOf });
    program.write({ region: "tensor of group", offset: 0, data: plan.layout.tensorOf });
    return new DescentEngine(plan, program);
  }

  /**
   * One step. Patches that the last step had are not uploaded again.
   *
   * @param rates one for all tensors, or one for each
   * @returns the parameters after the step, and the L1 loss before it
   */
  async step(
    parameters: Float32Array,
    pairs: PatchPairs,
    rates: number | ArrayLike<number>,
  ): Promise<{ parameters: Float32Array; loss: number }> {
    const { networkFloats, sets, tensors } = this.#plan;
    requireLength("parameters", parameters, networkFloats);
    requirePairs("pairs", pairs, sets.support.shape);
    if (typeof rates !== "number" && rates.length !== tensors) {
      throw new InputError(`${rates.length} rates`, { expected: `one for each of ${tensors} tensors` });
    }
    const uploads: Upload[] = [
      { region: "batch", offset: 0, data: Uint32Array.of(1, 0, 0, 0) },
      { region: "rows", offset: 0, data: this.#row(rates) },
      { region: "uploaded theta", offset: 0, data: parameters },
    ];
    if (pairs !== this.#uploaded) {
      uploads.push({ region: "uploaded support x", offset: 0, data: pairs.x });
      uploads.push({ region: "uploaded support y", offset: 0, data: pairs.y });
      this.#uploaded = pairs;
    }
    const { supportLosses } = resultLayout(this.#plan, 1);
    return this.#program.run(1, uploads, (result) => ({
      parameters: result.slice(0, networkFloats),
      loss: result[supportLosses]!,
    }));
  }

  /** Frees all that the engine has on the device. */
  destroy(): void {
    this.#program.destroy();
  }

  #row(rates: number | ArrayLike<number>): Float32Array {
    const { rowFloats, tensors, sets } = this.#plan;
    const row = new Float32Array(rowFloats);
    for (let p = 0; p < tensors; p++) row[p] = typeof rates === "number" ? rates : rates[p]!;
    row[tensors] = 1 / (3 * pixelsOf(sets.support.shape));
    return row;
  }
}
