/**
 * Meta-test (paper §4.4): the photo itself is taken for HR, its own degradation for LR, and a few steps of plain
 * gradient descent make the network fit this photo and its blur kernel. ZSSR is the same from random parameters with
 * thousands of steps.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Image } from "../imaging/image.js";
import { type Batch, lossGradient } from "../meta-learning/gradient.js";
import { l1Loss } from "../meta-learning/loss.js";
import { axpy } from "../meta-learning/ops.js";
import type { Model } from "../model/model.js";
import { downloadWeights, forward, uploadWeights, type Weights } from "../model/network.js";
import { portableExp } from "../random/portable-math.js";
import type { NetworkThreads } from "../threads/network-threads.js";
import { type AdaptationPair, adaptationPairs, type PairOptions, requireColour } from "./adaptation-pairs.js";
import { uploadImage } from "./upload-image.js";

/** The rate of step j, counted from 0: one for all tensors, or one per tensor. */
export type RateSchedule = (step: number) => number | ArrayLike<number>;

/** Where an adaptation stands. */
export interface AdaptationProgress {
  /** Steps done, from 1. */
  readonly step: number;
  readonly updates: number;
  /** L1 on the photo's own degradation, before this step. */
  readonly loss: number;
}

export interface AdaptationOptions extends PairOptions {
  /** Gradient steps; 0 leaves the parameters as they are. */
  readonly updates: number;
  /** Further counts of steps after which the parameters are wanted. */
  readonly snapshotsAt?: readonly number[];
  /** Default: the model's learned rates, else the paper's for direct ×2. */
  readonly rates?: RateSchedule;
  /** Whether the loss after all steps is wanted, which costs a third of a step. */
  readonly lossAfter?: boolean;
  readonly onStep?: (progress: AdaptationProgress) => void;
  /** That share the parts of a large photo. Default: this thread alone. The result is the same to the bit on backends that compute alike. */
  readonly threads?: NetworkThreads | undefined;
}

export interface Adaptation {
  /** After all updates. */
  readonly parameters: Float32Array;
  /** By count of steps, as asked for with `snapshotsAt`, and after all. */
  readonly snapshots: ReadonlyMap<number, Float32Array>;
  /** Before each step. */
  readonly losses: readonly number[];
  /** After all steps, if asked for. */
  readonly lossAfter?: number | undefined;
}

/**
 * Adapts a model to one photo on the active backend, where nothing stays allocated, also after an error.
 *
 * A photo beyond `maxPixels` is degraded whole, then cut: the steps see the parts that have the most structure, since
 * flat ones hardly say anything about the kernel. So memory and time of a step are bounded whatever the photo's size.
 */
export async function adapt(model: Model, photo: Image, options: AdaptationOptions): Promise<Adaptation> {
  requireColour(photo);
  const { updates, onStep, rates = defaultRates(model) } = options;
  const wanted = new Set([...(options.snapshotsAt ?? []), updates]);
  const snapshots = new Map<number, Float32Array>();
  const losses: number[] = [];
  if (wanted.has(0)) snapshots.set(0, model.parameters.slice());
  const measured = options.lossAfter === true;
  const owned: { learner: Learner | undefined; weights: Weights } = { learner: undefined, weights: [] };
  try {
    if (updates > 0 || measured) owned.learner = await learnerOf(model, photo, options);
    const learner = owned.learner!;
    owned.weights = uploadWeights(model.architecture, model.parameters);
    for (let step = 0; step < updates; step++) {
      const { loss, weights } = await learner.descend(owned.weights, rates(step));
      tf.dispose([...owned.weights]);
      owned.weights = weights;
      losses.push((await loss.data())[0]!);
      loss.dispose();
      if (wanted.has(step + 1)) snapshots.set(step + 1, await downloadWeights(weights));
      onStep?.({ step: step + 1, updates, loss: losses[step]! });
    }
    const lossAfter = measured ? await meanLoss(learner, owned.weights) : undefined;
    return { parameters: snapshots.get(updates)!, snapshots, losses, lossAfter };
  } finally {
    tf.dispose([...owned.weights]);
    owned.learner?.dispose();
  }
}

/** The model's learned rates, the last step's for all further steps; else the paper's for direct ×2. */
export function defaultRates({ innerRates }: Pick<Model, "innerRates">): RateSchedule {
  if (innerRates === undefined) return (step) => (step === 0 ? 2e-2 : step < 4 ? 1e-2 : 5e-3);
  return (step) => Float64Array.from(innerRates[Math.min(step, innerRates.length - 1)]!, portableExp);
}

/** Rates of a step: one for all tensors, or one per tensor. */
type Rates = ReturnType<RateSchedule>;

/** A scalar, and the weights after a step. */
type Descent = {
  readonly loss: tf.Tensor;
  readonly weights: tf.Tensor[];
};

/** Learns from the pairs, each of equal part in the loss. */
interface Learner {
  /** One step of gradient descent over all pairs, added in their order. The old weights stay the caller's. */
  descend(weights: Weights, rates: Rates): Promise<Descent>;
  /** L1 of each pair. */
  losses(weights: Weights): Promise<readonly number[]>;
  dispose(): void;
}

async function learnerOf(model: Model, photo: Image, options: AdaptationOptions): Promise<Learner> {
  const pairs = adaptationPairs(model, photo, options);
  const { threads } = options;
  // One pair is one thread's, and this is one.
  if (threads === undefined || pairs.length === 1) return new LearnerHere(pairs);
  await threads.learnFrom(model.architecture, pairs);
  return new LearnerInThreads(model, threads, pairs.length);
}

/** On the active backend. */
class LearnerHere implements Learner {
  readonly #batches: readonly Batch[];

  constructor(pairs: readonly AdaptationPair[]) {
    this.#batches = pairs.map(({ x, y }) => ({ x: uploadImage(x), y: uploadImage(y) }));
  }

  async descend(weights: Weights, rates: Rates): Promise<Descent> {
    const part = 1 / this.#batches.length;
    return tf.tidy(() => {
      let descent: Descent | undefined;
      for (const batch of this.#batches) {
        const { loss, gradient } = lossGradient(weights, batch, l1Loss, { weight: part });
        descent = added(descent, weights, { loss, gradient }, part, rates);
      }
      return descent!;
    });
  }

  async losses(weights: Weights): Promise<number[]> {
    const losses: number[] = [];
    for (const { x, y } of this.#batches) {
      const loss = tf.tidy(() => l1Loss.value(forward(weights, x), y));
      losses.push((await loss.data())[0]!);
      loss.dispose();
    }
    return losses;
  }

  dispose(): void {
    for (const { x, y } of this.#batches) tf.dispose([x, y]);
  }
}

/** Gradients come from the threads; the steps are made here, as `LearnerHere` makes them. */
class LearnerInThreads implements Learner {
  readonly #model: Pick<Model, "architecture">;
  readonly #threads: NetworkThreads;
  readonly #pairs: number;

  constructor(model: Pick<Model, "architecture">, threads: NetworkThreads, pairs: number) {
    this.#model = model;
    this.#threads = threads;
    this.#pairs = pairs;
  }

  async descend(weights: Weights, rates: Rates): Promise<Descent> {
    const gradients = await this.#threads.gradients(await downloadWeights(weights));
    return tf.tidy(() => {
      let descent: Descent | undefined;
      for (const { loss, gradient } of gradients) {
        const uploaded = { loss: tf.scalar(loss), gradient: uploadWeights(this.#model.architecture, gradient) };
        descent = added(descent, weights, uploaded, 1 / this.#pairs, rates);
      }
      return descent!;
    });
  }

  async losses(weights: Weights): Promise<readonly number[]> {
    return this.#threads.losses(await downloadWeights(weights));
  }

  dispose(): void {}
}

/** The descent with one pair's gradient more, which is let go. To be run inside `tf.tidy`. */
function added(
  descent: Descent | undefined,
  weights: Weights,
  { loss, gradient }: { readonly loss: tf.Tensor; readonly gradient: tf.Tensor[] },
  part: number,
  rates: Rates,
): Descent {
  const before = descent?.weights ?? weights;
  const next = before.map((tensor, p) => {
    return axpy(-(typeof rates === "number" ? rates : rates[p]!), gradient[p]!, tensor);
  });
  tf.dispose(gradient);
  if (descent !== undefined) tf.dispose(descent.weights);
  return { loss: axpy(part, loss, descent?.loss ?? tf.scalar(0)), weights: next };
}

async function meanLoss(learner: Learner, weights: Weights): Promise<number> {
  const losses = await learner.losses(weights);
  return losses.reduce((mean, loss) => mean + (1 / losses.length) * loss, 0);
}
