import {
  Adam,
  type AdamState,
  type AverageState,
  MovingAverage,
  type ParameterLayout,
  type RateSegment,
} from "@mzsr/mzsr";
import type { RunSchedule } from "./schedule.js";
import type { TrainingState } from "./training-state.js";

/** What one outer update did. */
export interface UpdateResult {
  /** The new parameters: a new array, the old one is left as it was. */
  readonly theta: Float32Array;
  /** L2 norm of the mean gradient, before clipping. */
  readonly gradientNorm: number;
  /** Adam's rate for the network. */
  readonly learningRate: number;
}

/** What an outer update goes on from. */
export type UpdateState = Pick<TrainingState, "step" | "adam" | "ema">;

/**
 * The outer update θ ← Adam(θ, mean gradient), in float64 and rounded once to float32, so that a run resumed from
 * float32 parameters and float64 moments goes on with the same bits.
 *
 * Each stage begins with fresh moments, and an average of its own: pretraining and meta-training minimise different losses.
 */
export class OuterUpdate {
  readonly #schedule: RunSchedule;
  readonly #size: number;
  readonly #networkSize: number;
  #adam: Adam;
  /** Of θ, which does not depend on it; undefined while the stage keeps none. */
  #ema: MovingAverage | undefined;

  constructor(schedule: RunSchedule, layout: ParameterLayout, { step, adam, ema }: UpdateState) {
    this.#schedule = schedule;
    this.#size = layout.size;
    this.#networkSize = layout.entries.find(({ name }) => name.startsWith("inner_rate/"))?.offset ?? layout.size;
    this.#adam = Adam.fromState(adam);
    // Of the step that was the last one: at a stage's end, the average is still that of the stage.
    if (ema !== undefined) this.#ema = new MovingAverage(schedule.emaDecay(Math.max(0, step - 1)), ema);
  }

  /** A copy of the optimiser's state, for a checkpoint. */
  snapshot(): AdamState {
    const { steps, firstMoment, secondMoment } = this.#adam.state;
    return { steps, firstMoment: firstMoment.slice(), secondMoment: secondMoment.slice() };
  }

  /** A copy of the moving average, for a checkpoint. */
  average(): AverageState | undefined {
    return this.#ema?.snapshot();
  }

  /** Carries out `step` from `theta` along `gradient`; the steps must come in order. */
  apply(step: number, theta: Float32Array, gradient: Float64Array): UpdateResult {
    if (step === this.#schedule.stageStart(step)) this.#beginStage(step);
    const rates = this.#schedule.learningRates(step);
    const gradientNorm = l2Norm(gradient);
    const next = Float64Array.from(theta);
    this.#adam.step(next, clipped(gradient, gradientNorm, this.#schedule.clipNorm(step)), this.#segments(step));
    const rounded = Float32Array.from(next);
    this.#ema?.add(rounded);
    return { theta: rounded, gradientNorm, learningRate: rates.network };
  }

  #beginStage(step: number): void {
    this.#adam = new Adam(this.#size);
    const decay = this.#schedule.emaDecay(step);
    this.#ema = decay === 0 ? undefined : new MovingAverage(decay, { steps: 0, average: new Float64Array(this.#size) });
  }

  #segments(step: number): RateSegment[] {
    const { network, innerRates } = this.#schedule.learningRates(step);
    const segments = [{ from: 0, to: this.#networkSize, rate: network }];
    if (this.#schedule.stageOf(step) === "metaTraining" && this.#networkSize < this.#size) {
      segments.push({ from: this.#networkSize, to: this.#size, rate: innerRates });
    }
    return segments;
  }
}

/** Clipping by the global norm (Pascanu et al., arXiv 1211.5063): the same direction, at most `limit` long; 0: no limit. */
function clipped(gradient: Float64Array, norm: number, limit: number): Float64Array {
  if (limit === 0 || norm <= limit) return gradient;
  const share = limit / norm;
  return gradient.map((element) => element * share);
}

/** In float64, in index order. */
export function l2Norm(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
