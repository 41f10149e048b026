import { portableCos, stepWeights } from "@mzsr/mzsr";
import type { Configuration, RunStage } from "@mzsr/shared";

/** Adam's rates in one step: for the network, and for the logarithms of the learned inner rates. */
export interface LearningRates {
  readonly network: number;
  readonly innerRates: number;
}

/**
 * What each step of a run is: its stage, its tasks, where they start from and how far the update goes.
 *
 * Steps count over both stages from 0: first the pretraining steps, then the meta-steps. Everything here is a function
 * of (configuration, step), as the determinism contract asks.
 */
export class RunSchedule {
  readonly totalSteps: number;
  /** k: step n+k starts from the parameters before step n. */
  readonly pipeline: number;
  readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
    this.totalSteps = configuration.pretraining.steps + configuration.metaTraining.steps;
    this.pipeline = configuration.cluster.pipeline;
  }

  stageOf(step: number): RunStage {
    return step < this.configuration.pretraining.steps ? "pretraining" : "metaTraining";
  }

  /** First step of the stage that `step` belongs to. */
  stageStart(step: number): number {
    return this.stageOf(step) === "pretraining" ? 0 : this.configuration.pretraining.steps;
  }

  /** Steps in the stage that `step` belongs to. */
  stageSteps(step: number): number {
    return this.configuration[this.stageOf(step)].steps;
  }

  /** Tasks that are summed in `step`. */
  tasksOf(step: number): number {
    return this.configuration[this.stageOf(step)].tasks;
  }

  /** The tasks of `step` start from the parameters before this step: k steps back, never past the stage's start. */
  parametersStepOf(step: number): number {
    return Math.max(this.stageStart(step), step - this.pipeline);
  }

  /** Support and query losses that every result of `step` carries. */
  lossCounts(step: number): { readonly support: number; readonly query: number } {
    if (this.stageOf(step) === "pretraining") return { support: 1, query: 0 };
    const { innerSteps } = this.configuration.metaTraining;
    return { support: innerSteps, query: innerSteps + 1 };
  }

  /** w_j of the outer loss (docs/method.md); empty in pretraining. */
  stepWeights(step: number): readonly number[] {
    if (this.stageOf(step) === "pretraining") return [];
    const { innerSteps, stepWeights: kind } = this.configuration.metaTraining;
    return [...stepWeights(kind === "even" ? 0 : step - this.stageStart(step), innerSteps)];
  }

  /** Largest norm of a mean gradient; 0: any. */
  clipNorm(step: number): number {
    return this.configuration[this.stageOf(step)].clipNorm;
  }

  /** What the moving average of θ keeps at `step`; 0: there is none. */
  emaDecay(step: number): number {
    return this.configuration[this.stageOf(step)].emaDecay;
  }

  /** Whether the parameters after so many steps are validated. */
  validatesAfter(steps: number): boolean {
    const { every } = this.configuration.validation;
    return every > 0 && (steps % every === 0 || steps === this.totalSteps);
  }

  learningRates(step: number): LearningRates {
    const stageStep = step - this.stageStart(step);
    if (this.stageOf(step) === "pretraining") return { network: this.#pretrainingRate(stageStep), innerRates: 0 };
    const { learningRate, rateLearningRate } = this.configuration.metaTraining;
    const share = this.#metaRateShare(stageStep);
    return { network: learningRate * share, innerRates: rateLearningRate * share };
  }

  #pretrainingRate(stageStep: number): number {
    const { learningRate, halveEvery, learningRateFloor, warmupSteps } = this.configuration.pretraining;
    const halvings = Math.min(1074, Math.floor(stageStep / halveEvery));
    return Math.max(learningRateFloor, learningRate / 2 ** halvings) * warmupShare(stageStep, warmupSteps);
  }

  /** Half a cosine from 1 at the first meta-step to `learningRateFinal` at the last one, after a warm-up. */
  #metaRateShare(metaStep: number): number {
    const { learningRateFinal, steps, warmupSteps } = this.configuration.metaTraining;
    const warmup = warmupShare(metaStep, warmupSteps);
    if (learningRateFinal === 1 || steps < 2) return warmup;
    return warmup * (learningRateFinal + (1 - learningRateFinal) * halfCosine(metaStep / (steps - 1)));
  }
}

/** Linear warm-up (Goyal et al., arXiv 1706.02677): the share of its learning rate that a stage's `step` gets. */
function warmupShare(step: number, warmupSteps: number): number {
  return Math.min(1, (step + 1) / warmupSteps);
}

/** (1 + cos πx) / 2 for x in [0, 1]. */
function halfCosine(x: number): number {
  return (1 + portableCos(Math.PI * x)) / 2;
}
