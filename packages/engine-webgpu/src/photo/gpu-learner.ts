import type { AdaptationPair, Architecture, Descent, Learner, PatchPairs, Rates } from "@mzsr/mzsr";
import type { EngineDevice } from "../device/device.js";
import type { EngineOptions } from "../engine.js";
import { DescentEngine } from "./descent-engine.js";

/** Gradient descent over pairs of one size, as patches of one set: the mean over all is the mean of their means. */
export class GpuLearner implements Learner {
  readonly #engine: DescentEngine;
  readonly #pairs: PatchPairs;

  private constructor(engine: DescentEngine, pairs: PatchPairs) {
    this.#engine = engine;
    this.#pairs = pairs;
  }

  /** @throws InputError when the memory does not do; RunError when the device fails */
  static async create(
    device: EngineDevice,
    architecture: Architecture,
    pairs: readonly AdaptationPair[],
    options: Pick<EngineOptions, "memoryBytes">,
  ): Promise<GpuLearner> {
    const { height, width } = pairs[0]!.y;
    const shape = { architecture, patches: { patches: pairs.length, height, width } };
    const engine = await DescentEngine.create(device, shape, options);
    return new GpuLearner(engine, asPatches(pairs));
  }

  descend(parameters: Float32Array, rates: Rates): Promise<Descent> {
    return this.#engine.step(parameters, this.#pairs, rates);
  }

  async loss(parameters: Float32Array): Promise<number> {
    return (await this.#engine.step(parameters, this.#pairs, 0)).loss;
  }

  dispose(): void {
    this.#engine.destroy();
  }
}

function asPatches(pairs: readonly AdaptationPair[]): PatchPairs {
  const { height, width } = pairs[0]!.y;
  const each = 3 * height * width;
  const x = new Float32Array(pairs.length * each);
  const y = new Float32Array(pairs.length * each);
  pairs.forEach((pair, i) => {
    x.set(pair.x.data, i * each);
    y.set(pair.y.data, i * each);
  });
  return { shape: [pairs.length, height, width, 3], x, y };
}
