import type { MetricsColumns, RunStage } from "@mzsr/shared";
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { pick, robustRange, rowsOf, smoothed, sparseRows, type Value } from "../data/series.js";
import { formatCount, formatLoss, formatPercent, formatTick } from "../format.js";
import type { Theme } from "../theme.js";
import { Chart, type Line } from "./chart.js";
import type { StageChoice } from "./stage-words.js";
import { STAGE_WORDS } from "./stage-words.js";

const TABLE_ROWS = 20;

export interface LossChartProps {
  readonly metrics: MetricsColumns;
  readonly compared: MetricsColumns | undefined;
  readonly choice: StageChoice;
  readonly smoothing: number;
  readonly logarithmic: boolean;
  readonly theme: Theme;
}

/** A curve as it is named in the legend. */
interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly raw: readonly Value[];
  readonly smooth: readonly Value[];
  readonly dash?: readonly number[];
}

export function LossChart(props: LossChartProps) {
  const { metrics, choice, logarithmic, theme } = props;
  const cursor = useSignal<number | undefined>(undefined);
  const view = useMemo(() => viewOf(props), [metrics, props.compared, choice, props.smoothing]);
  const row = Math.min(cursor.value ?? view.x.length - 1, view.x.length - 1);
  return (
    <figure>
      <Legend view={view} row={row} read={cursor.value !== undefined} />
      <Chart
        theme={theme}
        x={view.x}
        lines={view.lines}
        bands={view.bands}
        range={view.range}
        logarithmic={logarithmic}
        height={300}
        formatX={formatCount}
        formatY={formatLoss}
        formatTick={formatTick}
        marks={choice === "all" ? stageMarks(metrics) : []}
        onRow={(next) => (cursor.value = next)}
        label={`Losses over ${formatCount(view.x.length)} points, steps ${formatCount(view.x[0] ?? 0)} to ${formatCount(view.x.at(-1) ?? 0)}. The same numbers stand in the table below.`}
      />
      <LossTable view={view} />
    </figure>
  );
}

interface View {
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  readonly lines: readonly Line[];
  readonly bands: readonly { readonly between: readonly [number, number]; readonly colour: string }[];
  readonly range: readonly [number, number] | undefined;
}

function viewOf({ metrics, compared, choice, smoothing }: LossChartProps): View {
  const stage = choice === "all" ? undefined : choice;
  const rows = rowsOf(metrics, stage);
  const x = pick(metrics.step, rows);
  const curve = (name: string, colour: string, values: readonly Value[], dash?: readonly number[]): Curve => ({
    name,
    colour,
    raw: values,
    smooth: smoothed(values, smoothing),
    ...(dash === undefined ? {} : { dash }),
  });
  const pretraining = onlyIn(metrics, "pretraining", pick(metrics.supportBefore, rows), rows);
  const curves = [
    ...(choice === "metaTraining" ? [] : [curve("Minibatch loss", "--pretraining", pretraining)]),
    ...(choice === "pretraining"
      ? []
      : [
          curve("Before adaptation", "--before", pick(metrics.queryBefore, rows)),
          curve("After adaptation", "--after", pick(metrics.queryAfter, rows)),
        ]),
    ...(compared === undefined ? [] : [comparedCurve(metrics, compared, choice, x, curve)]),
  ].filter(({ raw }) => raw.some((value) => value !== null));
  const extreme = choice === "pretraining" ? "supportBefore" : "queryAfter";
  const colour = choice === "pretraining" ? "--pretraining" : "--after";
  const banded = metrics.bucketSteps > 1 && choice !== "all";
  return {
    x,
    curves,
    lines: [
      ...curves.map(({ name, colour, raw }) => ({ name, colour, values: raw, width: 1, opacity: 0.28 })),
      ...curves.map(({ name, colour, smooth, dash }) => ({
        name,
        colour,
        values: smooth,
        width: 2,
        ...(dash === undefined ? {} : { dash }),
      })),
      ...(banded
        ? [
            { name: "greatest", colour, values: pick(metrics.greatest[extreme], rows), width: 0 },
            { name: "least", colour, values: pick(metrics.least[extreme], rows), width: 0 },
          ]
        : []),
    ],
    bands: banded ? [{ between: [2 * curves.length, 2 * curves.length + 1], colour }] : [],
    range: robustRange(curves.map(({ raw }) => raw)),
  };
}

/** The one curve of the other run that matters, at this run's steps; a stage is compared from its own start. */
function comparedCurve(
  metrics: MetricsColumns,
  compared: MetricsColumns,
  choice: StageChoice,
  x: readonly number[],
  curve: (name: string, colour: string, values: readonly Value[], dash?: readonly number[]) => Curve,
): Curve {
  const rows = rowsOf(compared, choice === "all" ? undefined : choice);
  const values = pick(choice === "pretraining" ? compared.supportBefore : compared.queryAfter, rows);
  const shift = choice === "all" ? 0 : stepsBefore(metrics, choice) - stepsBefore(compared, choice);
  const steps = pick(compared.step, rows).map((step) => step + shift);
  const what = choice === "pretraining" ? "minibatch loss" : "after adaptation";
  return curve(`${compared.run}, ${what}`, "--compared", nearestAt(steps, values, x), [6, 4]);
}

/** Steps of the run before a stage. */
function stepsBefore(metrics: MetricsColumns, stage: RunStage): number {
  return metrics.step[metrics.stage.indexOf(stage) - 1] ?? 0;
}

/** Values brought to other steps: that of the first step that is not before it; null past the end. */
function nearestAt(steps: readonly number[], values: readonly Value[], x: readonly number[]): Value[] {
  let at = 0;
  return x.map((step) => {
    while (at < steps.length && steps[at]! < step) at++;
    return values[at] ?? null;
  });
}

function onlyIn(metrics: MetricsColumns, stage: RunStage, values: readonly Value[], rows: readonly number[]): Value[] {
  return values.map((value, at) => (metrics.stage[rows[at]!] === stage ? value : null));
}

function stageMarks(metrics: MetricsColumns) {
  const first = metrics.stage.indexOf("metaTraining");
  return first > 0 ? [{ x: metrics.step[first - 1]!, text: STAGE_WORDS.metaTraining }] : [];
}

function Legend({ view, row, read }: { view: View; row: number; read: boolean }) {
  const value = (name: string) => view.curves.find((curve) => curve.name === name)?.smooth[row] ?? null;
  const before = value("Before adaptation");
  const after = value("After adaptation");
  return (
    <figcaption class="legend">
      <span>{read ? `Step ${formatCount(view.x[row] ?? 0)}` : "Now"}</span>
      {view.curves.map(({ name, colour, smooth, dash }) => (
        <span key={name} class="entry">
          <i class={dash === undefined ? "swatch" : "swatch dashed"} style={{ color: `var(${colour})` }} />
          {name} <b>{formatLoss(smooth[row] ?? null)}</b>
        </span>
      ))}
      {before !== null && after !== null && (
        <span class="entry">
          Gain <b>{formatPercent(1 - after / before)}</b>
        </span>
      )}
    </figcaption>
  );
}

function LossTable({ view }: { view: View }) {
  const rows = sparseRows(
    view.x.map((_, row) => row),
    TABLE_ROWS,
  ).reverse();
  return (
    <details class="table-alternative">
      <summary>The curves as a table</summary>
      <table>
        <caption class="spoken">Smoothed losses, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {view.curves.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={view.x[row]}>
              <th scope="row">{formatCount(view.x[row]!)}</th>
              {view.curves.map(({ name, smooth }) => (
                <td key={name}>{formatLoss(smooth[row] ?? null)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
