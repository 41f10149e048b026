import type { MetricsColumns, StepSummary } from "@mzsr/shared";
import { useMemo } from "preact/hooks";
import { lossAfter, lossBefore, newestValue, type StageChoice } from "../data/loss-curves.js";
import { gains, pick, robustRange, rowsOf, smoothed, type Value } from "../data/series.js";
import { formatCount, formatLoss, formatPercent, formatSeconds, formatTick } from "../format.js";
import type { Theme } from "../theme.js";
import { Chart } from "./chart.js";

const HEIGHT = 104;

export interface SmallChartsProps {
  readonly metrics: MetricsColumns;
  readonly choice: StageChoice;
  readonly smoothing: number;
  readonly theme: Theme;
}

/** The rest of a training's vital signs, small. */
export function SmallCharts({ metrics, choice, smoothing, theme }: SmallChartsProps) {
  const rows = useMemo(() => rowsOf(metrics, choice === "all" ? undefined : choice), [metrics, choice]);
  const x = useMemo(() => pick(metrics.step, rows), [metrics, rows]);
  const shared = { metrics, choice, x, smoothing, theme };
  const column = (values: readonly Value[]) => pick(values, rows);
  const gain = useMemo(() => gains(column(metrics.queryBefore), column(metrics.queryAfter)), [metrics, rows]);
  return (
    <div class="small-charts">
      {choice !== "pretraining" && <InnerSteps metrics={metrics} theme={theme} />}
      {choice !== "pretraining" && (
        <SmallChart {...shared} name="Gain from adaptation" values={gain} ofStep={gainOf} format={formatPercent} />
      )}
      <SmallChart
        {...shared}
        name="Gradient norm"
        values={column(metrics.gradientNorm)}
        ofStep={(step) => step.gradientNorm}
        format={formatLoss}
        tick={formatTick}
      />
      {choice === "pretraining" && (
        <SmallChart
          {...shared}
          name="Learning rate"
          values={column(metrics.learningRate)}
          ofStep={(step) => step.learningRate}
          format={formatLoss}
          tick={formatTick}
          exact
        />
      )}
      <SmallChart
        {...shared}
        name="Time of a step"
        values={column(metrics.seconds)}
        ofStep={(step) => step.seconds}
        format={formatSeconds}
      />
    </div>
  );
}

function gainOf(step: StepSummary): Value {
  return gains([lossBefore(step) ?? null], [lossAfter(step) ?? null])[0]!;
}

interface SmallChartProps extends SmallChartsProps {
  readonly name: string;
  readonly x: readonly number[];
  readonly values: readonly Value[];
  /** The value of one step. */
  readonly ofStep: (step: StepSummary) => Value | undefined;
  readonly format: (value: number) => string;
  /** For the axis; `format` when not given. */
  readonly tick?: (value: number) => string;
  /** Without noise: neither smoothed nor cut at outliers. */
  readonly exact?: boolean;
}

function SmallChart(props: SmallChartProps) {
  const { name, x, values, smoothing, format, tick, theme, exact } = props;
  const smooth = useMemo(() => (exact ? values : smoothed(values, smoothing)), [values, smoothing, exact]);
  const newest = newestValue(props.metrics, props.choice, props.ofStep, values);
  const lines = useMemo(
    () => [
      ...(exact ? [] : [{ name: "each", values, colour: "--plain", width: 1, opacity: 0.28 }]),
      { name, values: smooth, colour: "--plain", width: 1.5 },
    ],
    [name, values, smooth, exact],
  );
  const reading = newest === null ? "–" : format(newest);
  return (
    <figure class="small-chart">
      <figcaption>
        {name} <b>{reading}</b>
      </figcaption>
      <Chart
        theme={theme}
        x={x}
        lines={lines}
        range={exact ? undefined : robustRange([values], 0.02)}
        height={HEIGHT}
        small
        formatX={formatCount}
        formatY={format}
        formatTick={tick ?? format}
        label={`${name} over the steps, now ${reading}`}
      />
    </figure>
  );
}

/** The newest step's loss along the adaptation: what each inner step is worth. */
function InnerSteps({ metrics, theme }: { metrics: MetricsColumns; theme: Theme }) {
  const losses = metrics.latest?.queryLosses ?? [];
  const lines = useMemo(() => [{ name: "Query loss", values: losses, colour: "--after", width: 2 }], [losses]);
  if (losses.length < 2) return null;
  return (
    <figure class="small-chart">
      <figcaption>
        Loss by inner step <b>{formatLoss(losses.at(-1)!)}</b>
      </figcaption>
      <Chart
        theme={theme}
        x={losses.map((_, innerStep) => innerStep)}
        lines={lines}
        height={HEIGHT}
        small
        formatX={String}
        formatY={formatLoss}
        formatTick={formatTick}
        label={`Query loss after 0 to ${losses.length - 1} inner steps: ${losses.map(formatLoss).join(", ")}`}
      />
    </figure>
  );
}
