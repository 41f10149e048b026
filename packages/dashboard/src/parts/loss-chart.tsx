import { useSignal } from "@preact/signals";
import { Fragment } from "preact";
import { useMemo } from "preact/hooks";
import {
  type Curve,
  type LossCurves,
  type LossCurvesProps,
  lossCurves,
  type Reading,
  readingOf,
} from "../data/loss-curves.js";
import { sparseRows } from "../data/series.js";
import { formatCount, formatLoss, formatPercent, formatTick } from "../format.js";
import type { Theme } from "../theme.js";
import { Chart, type Line } from "./chart.js";
import { STAGE_WORDS } from "./stage-words.js";
import { Swatch } from "./swatch.js";

const TABLE_ROWS = 20;

export interface LossChartProps extends LossCurvesProps {
  readonly logarithmic: boolean;
  readonly theme: Theme;
}

export function LossChart(props: LossChartProps) {
  const { metrics, compared, choice, smoothing, whole, logarithmic, theme } = props;
  const cursor = useSignal<number | undefined>(undefined);
  const view = useMemo(
    () => lossCurves(props),
    [metrics, choice, smoothing, whole, ...compared.map(({ metrics }) => metrics)],
  );
  const lines = useMemo(() => linesOf(view), [view]);
  const row = cursor.value === undefined ? undefined : Math.min(cursor.value, view.x.length - 1);
  return (
    <figure>
      <Legend curves={view.curves} reading={readingOf(view, row, props)} />
      <Chart
        theme={theme}
        x={view.x}
        lines={lines}
        bands={
          view.band === undefined ? [] : [{ between: [lines.length - 2, lines.length - 1], colour: view.band.colour }]
        }
        range={view.range}
        logarithmic={logarithmic}
        height={300}
        formatX={formatCount}
        formatY={formatLoss}
        formatTick={formatTick}
        marks={choice === "all" ? stageMarks(props) : []}
        onRow={(next) => (cursor.value = next)}
        label={`Losses over ${formatCount(view.x.length)} points, steps ${formatCount(view.x[0] ?? 0)} to ${formatCount(view.x.at(-1) ?? 0)}. The same numbers stand in the table below.`}
      />
      <LossTable view={view} />
      <Explanation />
    </figure>
  );
}

/** Faint as they are, on them smoothed, and last the extremes, for the band between. */
function linesOf({ curves, band }: LossCurves): Line[] {
  return [
    ...curves.map(({ name, colour, raw }) => ({ name, colour, values: raw, width: 1, opacity: 0.28 })),
    ...curves.map(({ name, colour, smooth, dash }) => ({
      name,
      colour,
      values: smooth,
      width: 2,
      ...(dash === undefined ? {} : { dash }),
    })),
    ...(band === undefined
      ? []
      : [
          { name: "greatest", colour: band.colour, values: band.greatest, width: 0 },
          { name: "least", colour: band.colour, values: band.least, width: 0 },
        ]),
  ];
}

function stageMarks({ metrics }: LossCurvesProps) {
  const first = metrics.stage.indexOf("metaTraining");
  return first > 0 ? [{ x: metrics.step[first - 1]!, text: STAGE_WORDS.metaTraining }] : [];
}

function Legend({ curves, reading: { steps, values } }: { curves: readonly Curve[]; reading: Reading }) {
  const entries = curves.map((curve, at) => ({ curve, value: values[at] ?? null }));
  const value = (wanted: string) => entries.find(({ curve }) => curve.name === wanted)?.value ?? null;
  const before = value("Before adaptation");
  const after = value("After adaptation");
  return (
    <figcaption class="legend">
      <span>{steps}</span>
      {entries.map(({ curve: { name, colour, dash }, value }) => (
        <Fragment key={name}>
          <span class="entry">
            <Swatch colour={colour} dash={dash} />
            {name} <b>{formatLoss(value)}</b>
          </span>
          {name === "After adaptation" && before !== null && after !== null && (
            <span class="entry">
              Gain <b>{formatPercent(1 - after / before)}</b>
            </span>
          )}
        </Fragment>
      ))}
    </figcaption>
  );
}

function LossTable({ view }: { view: LossCurves }) {
  const rows = sparseRows(
    view.x.map((_, row) => row),
    TABLE_ROWS,
  ).reverse();
  return (
    <details class="table-alternative">
      <summary>The curves as a table</summary>
      <div class="scrolled">
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
      </div>
    </details>
  );
}

function Explanation() {
  return (
    <details class="explanation">
      <summary>What these losses are</summary>
      <dl>
        <dt>Before and after adaptation</dt>
        <dd>
          The mean absolute difference to the sharp patches that a task keeps for the test, before and after the network
          has adapted to the task’s blur kernel; the mean over the step’s tasks.
        </dd>
        <dt>Minibatch loss</dt>
        <dd>The same difference in pretraining, where nothing adapts.</dd>
        <dt>Which steps</dt>
        <dd>
          Numbers are those of the newest step, above, in the legend, in the small charts, in Prometheus and in{" "}
          <code>mzsr status</code>. Under the cursor and in the table they are the curve’s, smoothed as the slider says.
          One step is noisy: the sentence at the top goes by the newest tenth of the steps, and runs side by side are
          compared by the last tenth of their meta-training.
        </dd>
      </dl>
    </details>
  );
}
