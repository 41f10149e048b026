import { InputError, type ParameterLayout } from "@mzsr/mzsr";
import { floatsToBytes, type StepSummary, sha256Of, type TaskReport } from "@mzsr/shared";
import { OuterUpdate } from "./outer-update.js";
import type { RunSchedule } from "./schedule.js";
import { meanLosses } from "./step-losses.js";
import type { TrainingState } from "./training-state.js";

/** What the cluster, and not the mathematics, adds to a step's summary. */
export interface StepCircumstances {
  readonly seconds: number;
  readonly workers: number;
}

/** Holds θ, its recent past and the optimiser, and moves them on by one step at a time. */
export class Trainer {
  readonly #schedule: RunSchedule;
  readonly #update: OuterUpdate;
  readonly #backend: { name: TrainingState["backend"] };
  /** Parameters before steps `step − (length − 1)` … `step`. */
  #thetas: readonly Float32Array[];
  #step: number;

  /** @throws InputError when the state does not fit the layout, or lacks the past that pipelining needs */
  constructor(schedule: RunSchedule, layout: ParameterLayout, state: TrainingState) {
    checkState(schedule, layout, state);
    this.#schedule = schedule;
    this.#update = new OuterUpdate(schedule, layout, state);
    this.#backend = { name: state.backend };
    this.#thetas = [...state.history, state.theta];
    this.#step = state.step;
  }

  /** Steps done. */
  get step(): number {
    return this.#step;
  }

  get backend(): TrainingState["backend"] {
    return this.#backend.name;
  }

  /** The first worker of a run with `backend: auto` settles it for good. */
  fixBackend(name: NonNullable<TrainingState["backend"]>): void {
    this.#backend.name = name;
  }

  /**
   * θ before `step`, for the steps that tasks may still start from.
   * @throws RangeError for any other step
   */
  parametersBefore(step: number): Float32Array {
    const theta = this.#thetas[this.#thetas.length - 1 - (this.#step - step)];
    if (!theta) throw new RangeError(`parameters before step ${step} are not held at step ${this.#step}`);
    return theta;
  }

  /**
   * Carries out the next step.
   *
   * @param reports of all its tasks, in index order
   * @param gradient the mean over its tasks, in layout order
   */
  advance(reports: readonly TaskReport[], gradient: Float64Array, circumstances: StepCircumstances): StepSummary {
    const step = this.#step;
    const losses = meanLosses(reports);
    const update = this.#update.apply(step, this.parametersBefore(step), gradient);
    this.#thetas = [...this.#thetas, update.theta].slice(-(this.#schedule.pipeline + 1));
    this.#step++;
    return {
      step: this.#step,
      stage: this.#schedule.stageOf(step),
      stageStep: this.#step - this.#schedule.stageStart(step),
      ...losses,
      gradientNorm: update.gradientNorm,
      learningRate: update.learningRate,
      stepWeights: this.#schedule.stepWeights(step),
      seconds: circumstances.seconds,
      tasks: reports.length,
      workers: circumstances.workers,
      thetaSha256: sha256OfFloats(update.theta),
    };
  }

  /** The moving average of θ, where the stage keeps one. */
  average(): Float32Array | undefined {
    const ema = this.#update.average();
    return ema === undefined ? undefined : Float32Array.from(ema.average);
  }

  /** Everything that a checkpoint holds; later steps do not change it. */
  snapshot(): TrainingState {
    return {
      step: this.#step,
      theta: this.#thetas.at(-1)!,
      history: this.#thetas.slice(0, -1),
      adam: this.#update.snapshot(),
      ema: this.#update.average(),
      backend: this.#backend.name,
    };
  }
}

/** Hex SHA-256 of the array's bytes, little-endian. */
export function sha256OfFloats(values: Float32Array): string {
  return sha256Of(floatsToBytes(values));
}

function checkState(schedule: RunSchedule, layout: ParameterLayout, state: TrainingState): void {
  const { theta, history, adam, ema } = state;
  const average = ema === undefined ? [] : [ema.average];
  const arrays = [theta, ...history, adam.firstMoment, adam.secondMoment, ...average];
  const odd = arrays.find(({ length }) => length !== layout.size);
  if (odd) {
    throw new InputError(`the training state has ${odd.length} parameters`, {
      expected: `${layout.size}, as the configuration's model and inner rates ask for`,
    });
  }
  const past = state.step - earliestStart(schedule, state.step);
  if (state.history.length < past) {
    throw new InputError(`the training state holds the parameters of ${state.history.length} earlier steps`, {
      expected: `${past}, for cluster.pipeline ${schedule.pipeline}`,
    });
  }
}

/** The oldest parameters that a task of the next step starts from. */
function earliestStart(schedule: RunSchedule, step: number): number {
  return step < schedule.totalSteps ? schedule.parametersStepOf(step) : step;
}
