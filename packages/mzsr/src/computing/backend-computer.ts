/** Computes on the active TensorFlow.js backend of this thread. */
import * as tf from "@tensorflow/tfjs-core";
import type { AdaptationPair } from "../adaptation/adaptation-pairs.js";
import { uploadImage } from "../adaptation/upload-image.js";
import { computeTile } from "../enlargement/compute-tile.js";
import { type Tile, type TileSource, tileRows } from "../enlargement/tiles.js";
import type { Size } from "../imaging/resize.js";
import { type Batch, lossGradient } from "../meta-learning/gradient.js";
import { l1Loss } from "../meta-learning/loss.js";
import { minibatchGradient } from "../meta-learning/loss-gradient.js";
import { axpy } from "../meta-learning/ops.js";
import type { PatchPairs } from "../meta-learning/patch-pairs.js";
import type { Architecture } from "../model/layout.js";
import { downloadWeights, forward, uploadWeights, type Weights } from "../model/network.js";
import type { Descent, Enlarger, Learner, Network, NetworkComputer, Rates, Trainer } from "./network-computer.js";

/** Nothing stays allocated on the backend when all parts are disposed of. */
export class BackendComputer implements NetworkComputer {
  async learner(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Learner> {
    return new BackendLearner(architecture, pairs);
  }

  async trainer(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Trainer> {
    return new BackendTrainer(architecture, pairs);
  }

  async enlarger({ architecture, parameters }: Network, result: Size, tileSide: number): Promise<Enlarger> {
    const weights = uploadWeights(architecture, parameters);
    return new BackendEnlarger(weights, tileRows(result, tileSide, architecture.depth));
  }
}

class BackendLearner implements Learner {
  readonly #architecture: Architecture;
  readonly #batches: readonly Batch[];

  constructor(architecture: Architecture, pairs: readonly AdaptationPair[]) {
    this.#architecture = architecture;
    this.#batches = pairs.map(({ x, y }) => ({ x: uploadImage(x), y: uploadImage(y) }));
  }

  descend(parameters: Float32Array, rates: Rates): Promise<Descent> {
    const part = 1 / this.#batches.length;
    return descended(() => {
      const weights = uploadWeights(this.#architecture, parameters);
      let descent: Descending | undefined;
      for (const batch of this.#batches) {
        const { loss, gradient } = lossGradient(weights, batch, l1Loss, { weight: part });
        descent = addedTo(descent, weights, { loss, gradient }, part, rates);
      }
      return descent!;
    });
  }

  async loss(parameters: Float32Array): Promise<number> {
    const weights = uploadWeights(this.#architecture, parameters);
    try {
      return meanOf(await valuesOf(this.#batches, ({ x, y }) => l1Loss.value(forward(weights, x), y)));
    } finally {
      tf.dispose(weights);
    }
  }

  dispose(): void {
    disposeAll(this.#batches);
  }
}

class BackendTrainer implements Trainer {
  readonly #architecture: Architecture;
  readonly #pairs: readonly AdaptationPair[];

  constructor(architecture: Architecture, pairs: readonly AdaptationPair[]) {
    this.#architecture = architecture;
    this.#pairs = pairs;
  }

  gradient(parameters: Float32Array, minibatch: PatchPairs): Promise<{ gradient: Float32Array; loss: number }> {
    return minibatchGradient(this.#architecture, parameters, minibatch);
  }

  async squaredError(parameters: Float32Array): Promise<number> {
    const weights = uploadWeights(this.#architecture, parameters);
    try {
      const errors = await valuesOf(this.#pairs, ({ x, y }) =>
        tf.mean(tf.square(tf.sub(forward(weights, uploadImage(x)), uploadImage(y)))),
      );
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    } finally {
      tf.dispose(weights);
    }
  }

  dispose(): void {}
}

class BackendEnlarger implements Enlarger {
  readonly elsewhere = false;
  readonly rows: readonly (readonly Tile[])[];
  readonly #weights: tf.Tensor[];

  constructor(weights: tf.Tensor[], rows: readonly (readonly Tile[])[]) {
    this.#weights = weights;
    this.rows = rows;
  }

  async tile(source: () => TileSource): Promise<Float32Array> {
    return (await computeTile(this.#weights, source())).data;
  }

  dispose(): void {
    tf.dispose(this.#weights);
  }
}

/** A scalar, and the weights after a step. */
export interface Descending {
  readonly loss: tf.Tensor;
  readonly weights: tf.Tensor[];
}

/** Takes a step that `compute` makes of tensors. */
export async function descended(compute: () => Descending): Promise<Descent> {
  const { loss, weights } = tf.tidy(() => ({ ...compute() }));
  try {
    return { loss: (await loss.data())[0]!, parameters: await downloadWeights(weights) };
  } finally {
    tf.dispose([loss, ...weights]);
  }
}

/** The descent with one pair's gradient more, which is let go. To be run inside `tf.tidy`. */
export function addedTo(
  descent: Descending | undefined,
  weights: Weights,
  { loss, gradient }: { readonly loss: tf.Tensor; readonly gradient: tf.Tensor[] },
  part: number,
  rates: Rates,
): Descending {
  const before = descent?.weights ?? weights;
  const next = before.map((tensor, p) => {
    return axpy(-(typeof rates === "number" ? rates : rates[p]!), gradient[p]!, tensor);
  });
  tf.dispose(gradient);
  if (descent !== undefined) tf.dispose(descent.weights);
  return { loss: axpy(part, loss, descent?.loss ?? tf.scalar(0)), weights: next };
}

/** Of equal parts. */
export function meanOf(losses: readonly number[]): number {
  return losses.reduce((mean, loss) => mean + (1 / losses.length) * loss, 0);
}

/** A scalar of each, one after the other: so the memory is that of one. */
async function valuesOf<T>(items: readonly T[], compute: (item: T) => tf.Tensor): Promise<number[]> {
  const values: number[] = [];
  for (const item of items) {
    const scalar = tf.tidy(() => compute(item));
    values.push((await scalar.data())[0]!);
    scalar.dispose();
  }
  return values;
}

function disposeAll(batches: readonly Batch[]): void {
  for (const { x, y } of batches) tf.dispose([x, y]);
}
