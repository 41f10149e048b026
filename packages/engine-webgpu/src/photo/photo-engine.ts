/** What the core computes for a photo on TensorFlow.js (adaptation, enlargement, ZSSR), on a GPU. */
import type {
  AdaptationPair,
  Architecture,
  Enlarger,
  Learner,
  Network,
  NetworkComputer,
  Size,
  Trainer,
} from "@mzsr/mzsr";
import type { EngineDevice } from "../device/device.js";
import type { EngineOptions } from "../engine.js";
import { GpuEnlarger } from "./gpu-enlarger.js";
import { GpuLearner } from "./gpu-learner.js";
import { GpuTrainer } from "./gpu-trainer.js";

/**
 * Buffers are planned before they are allocated, and freed when a part is disposed of. All parts throw an `InputError` when the
 * memory does not do for what is asked, before anything is computed, and a `RunError` when the device fails.
 */
export class PhotoEngine implements NetworkComputer {
  readonly #device: EngineDevice;
  readonly #options: Pick<EngineOptions, "memoryBytes">;

  constructor(device: EngineDevice, options: Pick<EngineOptions, "memoryBytes"> = {}) {
    this.#device = device;
    this.#options = options;
  }

  learner(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Learner> {
    return GpuLearner.create(this.#device, architecture, pairs, this.#options);
  }

  trainer(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Trainer> {
    return GpuTrainer.create(this.#device, architecture, pairs, this.#options);
  }

  enlarger(network: Network, result: Size, tileSide: number): Promise<Enlarger> {
    return GpuEnlarger.create(this.#device, network, result, tileSide, this.#options);
  }
}
