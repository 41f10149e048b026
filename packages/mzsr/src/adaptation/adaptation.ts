/**
 * Meta-test (paper §4.4): the photo itself is taken for HR, its own degradation for LR, and a few steps of plain
 * gradient descent make the network fit this photo and its blur kernel. ZSSR is the same from random parameters with
 * thousands of steps.
 */
import { BackendComputer } from "../computing/backend-computer.js";
import type { NetworkComputer, Rates } from "../computing/network-computer.js";
import type { Image } from "../imaging/image.js";
import type { Model } from "../model/model.js";
import { portableExp } from "../random/portable-math.js";
import { adaptationPairs, type PairOptions, requireColour } from "./adaptation-pairs.js";

/** The rate of step j, counted from 0: one for all tensors, or one per tensor. */
export type RateSchedule = (step: number) => Rates;

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
  /** Default: the active TensorFlow.js backend of this thread. */
  readonly computer?: NetworkComputer | undefined;
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
 * Adapts a model to one photo. Nothing stays allocated on the backend or the GPU, also after an error.
 *
 * A photo beyond `maxPixels` is degraded whole, then cut: the steps see the parts that have the most structure, since
 * flat ones hardly say anything about the kernel. So memory and time of a step are bounded whatever the photo's size.
 */
export async function adapt(model: Model, photo: Image, options: AdaptationOptions): Promise<Adaptation> {
  requireColour(photo);
  const { updates, onStep, rates = defaultRates(model), computer = new BackendComputer() } = options;
  const wanted = new Set([...(options.snapshotsAt ?? []), updates]);
  const snapshots = new Map<number, Float32Array>();
  const losses: number[] = [];
  let parameters: Float32Array = model.parameters.slice();
  if (wanted.has(0)) snapshots.set(0, parameters);
  const measured = options.lossAfter === true;
  if (updates === 0 && !measured) return { parameters, snapshots, losses, lossAfter: undefined };
  const learner = await computer.learner(model.architecture, adaptationPairs(model, photo, options));
  try {
    for (let step = 0; step < updates; step++) {
      const next = await learner.descend(parameters, rates(step));
      parameters = next.parameters;
      losses.push(next.loss);
      if (wanted.has(step + 1)) snapshots.set(step + 1, parameters);
      onStep?.({ step: step + 1, updates, loss: next.loss });
    }
    return { parameters, snapshots, losses, lossAfter: measured ? await learner.loss(parameters) : undefined };
  } finally {
    learner.dispose();
  }
}

/** The model's learned rates, the last step's for all further steps; else the paper's for direct ×2. */
export function defaultRates({ innerRates }: Pick<Model, "innerRates">): RateSchedule {
  if (innerRates === undefined) return (step) => (step === 0 ? 2e-2 : step < 4 ? 1e-2 : 5e-3);
  return (step) => Float64Array.from(innerRates[Math.min(step, innerRates.length - 1)]!, portableExp);
}
