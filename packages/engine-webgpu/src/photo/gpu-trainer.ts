import type { AdaptationPair, Architecture, PatchPairs, Trainer } from "@mzsr/mzsr";
import type { EngineDevice } from "../device/device.js";
import type { EngineOptions } from "../engine.js";
import { MinibatchEngine } from "../minibatch-engine.js";
import { ForwardEngine } from "./forward-engine.js";

/** Gradients of minibatches of a few sizes, and the error on pairs of one. */
export class GpuTrainer implements Trainer {
  readonly #device: EngineDevice;
  readonly #architecture: Architecture;
  readonly #pairs: readonly AdaptationPair[];
  readonly #options: Pick<EngineOptions, "memoryBytes">;
  readonly #forward: ForwardEngine;
  readonly #minibatches = new Map<string, MinibatchEngine>();

  private constructor(
    device: EngineDevice,
    architecture: Architecture,
    pairs: readonly AdaptationPair[],
    options: Pick<EngineOptions, "memoryBytes">,
    forward: ForwardEngine,
  ) {
    this.#device = device;
    this.#architecture = architecture;
    this.#pairs = pairs;
    this.#options = options;
    this.#forward = forward;
  }

  /** @throws InputError when the memory does not do; RunError when the device fails */
  static async create(
    device: EngineDevice,
    architecture: Architecture,
    pairs: readonly AdaptationPair[],
    options: Pick<EngineOptions, "memoryBytes">,
  ): Promise<GpuTrainer> {
    const { height, width } = pairs[0]!.y;
    const forward = await ForwardEngine.create(device, { architecture, height, width }, options);
    return new GpuTrainer(device, architecture, pairs, options, forward);
  }

  async gradient(parameters: Float32Array, minibatch: PatchPairs): Promise<{ gradient: Float32Array; loss: number }> {
    const engine = await this.#engineFor(minibatch);
    const [result] = await engine.run([{ parameters, pairs: minibatch }]);
    return result!;
  }

  async squaredError(parameters: Float32Array): Promise<number> {
    let sum = 0;
    for (const { x, y } of this.#pairs) {
      const output = await this.#forward.apply(parameters, x.data);
      sum += output.reduce((squares, value, i) => squares + (value - y.data[i]!) ** 2, 0) / output.length;
    }
    return sum / this.#pairs.length;
  }

  dispose(): void {
    this.#forward.destroy();
    for (const engine of this.#minibatches.values()) engine.destroy();
  }

  async #engineFor({ shape: [patches, height, width] }: PatchPairs): Promise<MinibatchEngine> {
    const size = [patches, height, width].join();
    const known = this.#minibatches.get(size);
    if (known !== undefined) return known;
    const shape = { architecture: this.#architecture, patches: { patches, height, width } };
    const engine = await MinibatchEngine.create(this.#device, shape, { ...this.#options, tasks: 1 });
    this.#minibatches.set(size, engine);
    return engine;
  }
}
