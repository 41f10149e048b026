import type { Architecture } from "@mzsr/mzsr";
import type { EngineDevice } from "../device/device.js";
import { Program } from "../device/program.js";
import { type EngineOptions, requireLength } from "../engine.js";
import { convolutionsOn } from "../kernels/conv-variants.js";
import { planMinibatches } from "../plan/memory.js";
import { forwardOnlyCommands } from "../plan/meta-commands.js";
import { metaKernels } from "../plan/meta-kernels.js";
import { type MetaPlan, metaPlan } from "../plan/meta-plan.js";
import { GROUP, GROUP_BYTES } from "../plan/shapes.js";

/** A network applied to images of one size. */
export class ForwardEngine {
  readonly #plan: MetaPlan;
  readonly #program: Program;

  private constructor(plan: MetaPlan, program: Program) {
    this.#plan = plan;
    this.#program = program;
  }

  /** @throws InputError when the size or the memory does not do; RunError when the device fails */
  static async create(
    device: EngineDevice,
    { architecture, height, width }: { architecture: Architecture; height: number; width: number },
    { memoryBytes }: Pick<EngineOptions, "memoryBytes"> = {},
  ): Promise<ForwardEngine> {
    const support = { patches: 1, height, width };
    const oneStep = { innerSteps: 1, order: 1, learnedRates: false } as const;
    const plan = metaPlan({ architecture, support, query: support, ...oneStep });
    const options = {
      tasks: 1,
      limits: device.description.limits,
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    };
    const outputBytes = plan.sets.support.imageStride * GROUP_BYTES;
    const { regions } = planMinibatches(plan, forwardOnlyCommands(plan, 1), options);
    const program = await Program.create(device, {
      kernels: metaKernels(plan, convolutionsOn(device.description)),
      regions: new Map([...regions, ["result", outputBytes]]),
      commands: (batch) => forwardOnlyCommands(plan, batch),
      resultBytes: () => outputBytes,
    });
    program.write({ region: "flat of padded", offset: 0, data: plan.layout.flatOf });
    return new ForwardEngine(plan, program);
  }

  /**
   * @param parameters the network in layout order
   * @param image [height, width, 3]
   * @returns the network's output, [height, width, 3]
   */
  async apply(parameters: Float32Array, image: Float32Array): Promise<Float32Array> {
    const { networkFloats, sets } = this.#plan;
    const pixels = sets.support.shape.height * sets.support.shape.width;
    requireLength("parameters", parameters, networkFloats);
    requireLength("image", image, 3 * pixels);
    const uploads = [
      { region: "batch", offset: 0, data: Uint32Array.of(1, 0, 0, 0) },
      { region: "uploaded theta", offset: 0, data: parameters },
      { region: "uploaded support x", offset: 0, data: image },
    ];
    return this.#program.run(1, uploads, (result) => withoutPadding(result, pixels));
  }

  /** Frees all that the engine has on the device. */
  destroy(): void {
    this.#program.destroy();
  }
}

/** Three of each four floats. */
function withoutPadding(groups: Float32Array, pixels: number): Float32Array {
  const image = new Float32Array(3 * pixels);
  for (let p = 0; p < pixels; p++) {
    image[3 * p] = groups[GROUP * p]!;
    image[3 * p + 1] = groups[GROUP * p + 1]!;
    image[3 * p + 2] = groups[GROUP * p + 2]!;
  }
  return image;
}
