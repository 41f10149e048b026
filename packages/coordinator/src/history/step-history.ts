/** The steps of a run in memory, column by column (about 90 bytes a step), ready to be downsampled for a chart. */

import {
  EXTREME_NAMES,
  METRIC_NAMES,
  type MetricColumn,
  type MetricName,
  type MetricsColumns,
  type RunStage,
  type StepSummary,
} from "@mzsr/shared";
import { bucketBounds, bucketExtremes, bucketMeans, bucketSize } from "./downsample.js";

const FIRST_CAPACITY = 1024;
/** Points that a chart gets when it does not say, and at most. */
const DEFAULT_POINTS = 600;
const MOST_POINTS = 5000;
const STAGES: readonly RunStage[] = ["pretraining", "metaTraining"];

const VALUE_OF: Record<MetricName, (step: StepSummary) => number | undefined> = {
  supportBefore: (step) => step.supportLosses[0],
  supportAfter: (step) => (step.supportLosses.length > 1 ? step.supportLosses.at(-1) : undefined),
  queryBefore: (step) => step.queryLosses[0],
  queryAfter: (step) => (step.queryLosses.length > 1 ? step.queryLosses.at(-1) : undefined),
  gradientNorm: (step) => step.gradientNorm,
  learningRate: (step) => step.learningRate,
  seconds: (step) => step.seconds,
  tasks: (step) => step.tasks,
  workers: (step) => step.workers,
};

export interface HistoryRange {
  /** First step, from 1. */
  readonly from?: number;
  /** Last step. */
  readonly to?: number;
  /** Buckets at most (one more where a stage ends). */
  readonly points?: number;
}

export class StepHistory {
  #rows = 0;
  #steps = new Float64Array(FIRST_CAPACITY);
  #stages = new Uint8Array(FIRST_CAPACITY);
  #columns = METRIC_NAMES.map(() => new Float64Array(FIRST_CAPACITY));
  #latest: StepSummary | null = null;

  get lastStep(): number {
    return this.#rows === 0 ? 0 : this.#steps[this.#rows - 1]!;
  }

  /** Adds a step. A step that is already there (a resumed run repeats some) replaces it and all after it. */
  append(step: StepSummary): void {
    while (this.#rows > 0 && this.#steps[this.#rows - 1]! >= step.step) this.#rows--;
    if (this.#rows === this.#steps.length) this.#grow();
    this.#steps[this.#rows] = step.step;
    this.#stages[this.#rows] = STAGES.indexOf(step.stage);
    METRIC_NAMES.forEach((name, column) => {
      this.#columns[column]![this.#rows] = VALUE_OF[name](step) ?? Number.NaN;
    });
    this.#rows++;
    this.#latest = step;
  }

  /** The steps of a range in at most `points` buckets. */
  columns(run: string, range: HistoryRange = {}): MetricsColumns {
    const start = this.#rowOf(range.from ?? 1);
    const end = Math.max(start, this.#rowOf((range.to ?? Infinity) + 1));
    const points = Math.min(MOST_POINTS, Math.max(1, Math.floor(range.points ?? DEFAULT_POINTS)));
    const bucketSteps = bucketSize(end > start ? this.#steps[end - 1]! - this.#steps[start]! + 1 : 0, points);
    const bounds = bucketBounds(this.#steps, this.#stages, start, end, bucketSteps);
    const values = (name: MetricName) => this.#columns[METRIC_NAMES.indexOf(name)]!;
    const extremes = byName(EXTREME_NAMES, (name) => bucketExtremes(values(name), bounds));
    return {
      run,
      firstStep: this.#rows === 0 ? 0 : this.#steps[0]!,
      lastStep: this.lastStep,
      bucketSteps,
      step: bounds.slice(1).map((next) => this.#steps[next - 1]!),
      stage: bounds.slice(0, -1).map((row) => STAGES[this.#stages[row]!]!),
      ...byName(METRIC_NAMES, (name): MetricColumn => bucketMeans(values(name), bounds)),
      least: byName(EXTREME_NAMES, (name) => extremes[name].least),
      greatest: byName(EXTREME_NAMES, (name) => extremes[name].greatest),
      latest: this.#latest,
    };
  }

  /** First row at or after a step: binary search. */
  #rowOf(step: number): number {
    let low = 0;
    let high = this.#rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#steps[middle]! < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const capacity = 2 * this.#steps.length;
    const grown = <T extends Float64Array | Uint8Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#steps = grown(this.#steps, new Float64Array(capacity));
    this.#stages = grown(this.#stages, new Uint8Array(capacity));
    this.#columns = this.#columns.map((column) => grown(column, new Float64Array(capacity)));
  }
}

function byName<Name extends string, T>(names: readonly Name[], of: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, T>;
}
