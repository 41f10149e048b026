/** Work on the curves' columns, without a screen. */
import type { ExtremeName, MetricColumn, MetricName, MetricsColumns, RunStage, StepSummary } from "@mzsr/shared";

export type Value = number | null;

/**
 * Exponential moving average with bias correction (as Adam's moments): the first value is itself, not near zero.
 * @param weight 0 leaves the values alone; near 1 smooths most
 */
export function smoothed(values: readonly Value[], weight: number): Value[] {
  let sum = 0;
  let norm = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}

/** 1 − after/before: the share of the loss that adaptation removes. */
export function gains(before: readonly Value[], after: readonly Value[]): Value[] {
  return before.map((value, at) => {
    const adapted = after[at] ?? null;
    return value === null || adapted === null || value === 0 ? null : 1 - adapted / value;
  });
}

/**
 * Adds the newest step to columns that hold single steps.
 * @returns undefined when the columns must be fetched again: buckets of several steps, steps missed, or a run that went back
 */
export function withStep(columns: MetricsColumns, step: StepSummary, mostPoints: number): MetricsColumns | undefined {
  if (columns.bucketSteps !== 1 || columns.step.length >= mostPoints || step.step !== columns.lastStep + 1) {
    return undefined;
  }
  const values = valuesOf(step);
  const append = <Name extends MetricName>(names: readonly Name[], to: Readonly<Record<Name, MetricColumn>>) => {
    const entries = names.map((name): [Name, MetricColumn] => [name, [...to[name], values[name]]]);
    return Object.fromEntries(entries) as Record<Name, MetricColumn>;
  };
  const extremes = Object.keys(columns.least) as ExtremeName[];
  return {
    ...columns,
    firstStep: columns.firstStep || step.step,
    lastStep: step.step,
    step: [...columns.step, step.step],
    stage: [...columns.stage, step.stage],
    ...append(Object.keys(values) as MetricName[], columns),
    least: append(extremes, columns.least),
    greatest: append(extremes, columns.greatest),
    latest: step,
  };
}

function valuesOf(step: StepSummary): Record<MetricName, Value> {
  const afterFirst = (losses: readonly number[]) => (losses.length > 1 ? (losses.at(-1) ?? null) : null);
  return {
    supportBefore: step.supportLosses[0] ?? null,
    supportAfter: afterFirst(step.supportLosses),
    queryBefore: step.queryLosses[0] ?? null,
    queryAfter: afterFirst(step.queryLosses),
    gradientNorm: step.gradientNorm,
    learningRate: step.learningRate,
    seconds: step.seconds,
    tasks: step.tasks,
    workers: step.workers,
  };
}

/** The rows of one stage; all of them when `stage` is undefined. */
export function rowsOf(columns: MetricsColumns, stage: RunStage | undefined): number[] {
  return columns.step.flatMap((_, row) => (stage === undefined || columns.stage[row] === stage ? [row] : []));
}

/** The values of some rows. */
export function pick<T>(values: readonly T[], rows: readonly number[]): T[] {
  return rows.map((row) => values[row]!);
}

/** Values brought to other steps: that of the first step that is not before it; null past the end. */
export function nearestAt(steps: readonly number[], values: readonly Value[], x: readonly number[]): Value[] {
  let at = 0;
  return x.map((step) => {
    while (at < steps.length && steps[at]! < step) at++;
    return values[at] ?? null;
  });
}

/** The smallest range that holds all but the given share of the values at each end: one outlier must not flatten a curve. */
export function robustRange(columns: readonly (readonly Value[])[], share = 0.01): [number, number] | undefined {
  const sorted = columns
    .flat()
    .filter((value): value is number => value !== null && Number.isFinite(value))
    .sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))]!;
  return [at(share), at(1 - share)];
}

/** At most `count` rows, evenly spread, the last one among them: for a table. */
export function sparseRows(rows: readonly number[], count: number): number[] {
  if (rows.length <= count) return [...rows];
  const step = (rows.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, at) => rows[Math.round(at * step)]!);
}
