/**
 * The curves of the losses over the steps, and what is read from them, without a screen.
 *
 * A loss has one value on the page: that of the newest step. Where another number stands, as under the cursor, its words
 * say what it is.
 */
import type { MetricsColumns, RunStage, StepSummary } from "@mzsr/shared";
import { formatCount } from "../format.js";
import { nearestAt, pick, robustRange, rowsOf, smoothed, type Value } from "./series.js";

/** The steps that are shown: of one stage, or all. */
export type StageChoice = RunStage | "all";

/** A compared run's history, and how it is drawn. */
export interface ComparedHistory {
  readonly metrics: MetricsColumns;
  readonly colour: string;
  readonly dash: readonly number[];
}

export interface LossCurvesProps {
  readonly metrics: MetricsColumns;
  readonly compared: readonly ComparedHistory[];
  readonly choice: StageChoice;
  readonly smoothing: number;
  /** Whether compared runs are drawn past this run's last step. */
  readonly whole: boolean;
}

/** A curve as it is named in the legend. */
export interface Curve {
  readonly name: string;
  /** Name of a CSS custom property. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly raw: readonly Value[];
  readonly smooth: readonly Value[];
  /** Of the newest step. */
  readonly newest: Value;
}

export interface LossCurves {
  /** Last step of each point. */
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  /** Extremes of the steps that share a point, where several do. */
  readonly band:
    | { readonly least: readonly Value[]; readonly greatest: readonly Value[]; readonly colour: string }
    | undefined;
  readonly range: readonly [number, number] | undefined;
}

/** What a legend tells of the curves. */
export interface Reading {
  /** Of which steps, in words. */
  readonly steps: string;
  readonly values: readonly Value[];
}

export function lossCurves({ metrics, compared, choice, smoothing, whole }: LossCurvesProps): LossCurves {
  const rows = rowsOf(metrics, stageOf(choice));
  const others = compared.map((run) => comparedValues(run, metrics, choice));
  const own = pick(metrics.step, rows);
  const x = whole ? lengthened(own, others) : own;
  const curve = (curve: Omit<Curve, "smooth">): Curve => ({ ...curve, smooth: smoothed(curve.raw, smoothing) });
  const ofRun = (column: readonly Value[]) => x.map((_, at) => (at < rows.length ? column[rows[at]!]! : null));
  const ofStage = (stage: RunStage, column: readonly Value[]) =>
    ofRun(column.map((value, row) => (metrics.stage[row] === stage ? value : null)));
  const minibatch = {
    name: "Minibatch loss",
    colour: "--pretraining",
    raw: ofStage("pretraining", metrics.supportBefore),
  };
  const before = { name: "Before adaptation", colour: "--before", raw: ofRun(metrics.queryBefore) };
  const after = { name: "After adaptation", colour: "--after", raw: ofRun(metrics.queryAfter) };
  const curves = [
    ...(choice === "metaTraining"
      ? []
      : [
          curve({
            ...minibatch,
            newest: newestValue(metrics, choice, minibatchLoss, pick(metrics.supportBefore, rows)),
          }),
        ]),
    ...(choice === "pretraining"
      ? []
      : [
          curve({ ...before, newest: newestValue(metrics, choice, lossBefore, pick(metrics.queryBefore, rows)) }),
          curve({ ...after, newest: newestValue(metrics, choice, lossAfter, pick(metrics.queryAfter, rows)) }),
        ]),
    ...others.map(({ name, colour, dash, steps, values, newest }) =>
      curve({ name, colour, dash, raw: nearestAt(steps, values, x), newest }),
    ),
  ].filter(({ raw }) => raw.some((value) => value !== null));
  const extreme = choice === "pretraining" ? "supportBefore" : "queryAfter";
  const banded = metrics.bucketSteps > 1 && choice !== "all";
  return {
    x,
    curves,
    band: banded
      ? {
          least: ofRun(metrics.least[extreme]),
          greatest: ofRun(metrics.greatest[extreme]),
          colour: choice === "pretraining" ? "--pretraining" : "--after",
        }
      : undefined,
    range: robustRange(curves.map(({ raw }) => raw)),
  };
}

/** @param row of the point under the cursor; undefined for the newest step */
export function readingOf(
  { x, curves }: LossCurves,
  row: number | undefined,
  { metrics, compared, choice, smoothing }: LossCurvesProps,
): Reading {
  if (row === undefined) {
    const { latest } = metrics;
    const step =
      latest !== null && isOf(latest.stage, choice) ? formatCount(latest.step) : stepsOf(metrics, x.at(-1) ?? 0);
    const steps = compared.length > 0 ? "Newest step of each run" : `Newest step, ${step}`;
    return { steps, values: curves.map(({ newest }) => newest) };
  }
  const many = metrics.bucketSteps > 1;
  const what = [many ? "mean" : [], smoothing > 0 ? "smoothed" : []].flat();
  const steps = [`${many ? "Steps" : "Step"} ${stepsOf(metrics, x[row] ?? 0)}`, ...what].join(", ");
  return { steps, values: curves.map(({ smooth }) => smooth[row] ?? null) };
}

/** The newest step's value, if that step is of the stage; else that of the last point that has one. */
export function newestValue(
  { latest }: MetricsColumns,
  choice: StageChoice,
  ofStep: (step: StepSummary) => Value | undefined,
  values: readonly Value[],
): Value {
  if (latest !== null && isOf(latest.stage, choice)) return ofStep(latest) ?? null;
  return values.findLast((value) => value !== null) ?? null;
}

export const minibatchLoss = ({ stage, supportLosses }: StepSummary) =>
  stage === "pretraining" ? supportLosses[0] : undefined;
export const lossBefore = ({ queryLosses }: StepSummary) => queryLosses[0];
export const lossAfter = ({ queryLosses }: StepSummary) => (queryLosses.length > 1 ? queryLosses.at(-1) : undefined);

function isOf(stage: RunStage, choice: StageChoice): boolean {
  return choice === "all" || stage === choice;
}

function stageOf(choice: StageChoice): RunStage | undefined {
  return choice === "all" ? undefined : choice;
}

/** The steps that share a point, which stands at the last of them. */
function stepsOf({ bucketSteps, firstStep }: MetricsColumns, last: number): string {
  const first = Math.max(firstStep, Math.floor((last - 1) / bucketSteps) * bucketSteps + 1);
  return first >= last ? formatCount(last) : `${formatCount(first)} to ${formatCount(last)}`;
}

/** The one curve of another run that matters, over this run's count of steps; a stage is compared from its own start. */
function comparedValues(
  { metrics: other, colour, dash }: ComparedHistory,
  metrics: MetricsColumns,
  choice: StageChoice,
) {
  const rows = rowsOf(other, stageOf(choice));
  const [what, column, ofStep] =
    choice === "pretraining"
      ? (["minibatch loss", other.supportBefore, minibatchLoss] as const)
      : (["after adaptation", other.queryAfter, lossAfter] as const);
  const shift = choice === "all" ? 0 : stepsBefore(metrics, choice) - stepsBefore(other, choice);
  return {
    name: `${other.run}, ${what}`,
    colour,
    dash,
    steps: pick(other.step, rows).map((step) => step + shift),
    values: pick(column, rows),
    newest: newestValue(other, choice, ofStep, pick(column, rows)),
  };
}

/** A run's steps, and after them those of the longest run beside it. */
function lengthened(own: readonly number[], others: readonly { readonly steps: readonly number[] }[]): number[] {
  const last = own.at(-1) ?? 0;
  const longest = others.reduce<readonly number[]>(
    (most, { steps }) => ((steps.at(-1) ?? 0) > (most.at(-1) ?? 0) ? steps : most),
    [],
  );
  return [...own, ...longest.filter((step) => step > last)];
}

/** Steps of the run before a stage. */
function stepsBefore(metrics: MetricsColumns, stage: RunStage): number {
  return metrics.step[metrics.stage.indexOf(stage) - 1] ?? 0;
}
