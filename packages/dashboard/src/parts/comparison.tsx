import type { MetricsColumns } from "@mzsr/shared";
import type { Compared } from "../data/compared.js";
import { pick, rowsOf, type Value } from "../data/series.js";
import type { RunStore } from "../data/store.js";
import { formatCount, formatDecibels, formatLoss, formatPercent, formatSeconds } from "../format.js";
import { Swatch } from "./swatch.js";

const NAMES = [
  "Steps",
  "Loss before adaptation",
  "Loss after adaptation",
  "Gain from adaptation",
  "Held-out pictures, adapted",
  "Time of a step",
];

/** Runs side by side, in numbers. */
export function Comparison({ store, compared }: { store: RunStore; compared: readonly Compared[] }) {
  const shown = [{ store, colour: "--after", dash: undefined }, ...compared];
  return (
    <section class="comparison" aria-labelledby="comparison-title">
      <div class="section-head">
        <h2 id="comparison-title">Side by side</h2>
        <p class="aside">Losses and times are means over the last tenth of meta-training.</p>
      </div>
      {compared.map(
        ({ store: { problem, name } }) =>
          problem.value && (
            <p key={name} class="notice bad">
              {problem.value}
            </p>
          ),
      )}
      <div class="scrolled">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              {NAMES.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{shown.map((run) => run.store.status.value && <Row key={run.colour} {...run} />)}</tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ store, colour, dash }: Pick<Compared, "store" | "colour"> & { dash: Compared["dash"] | undefined }) {
  const facts = factsOf(store);
  return (
    <tr>
      <th scope="row">
        <Swatch colour={colour} dash={dash} />
        {store.status.value!.run}
      </th>
      {NAMES.map((name, at) => (
        <td key={name}>{facts[at]}</td>
      ))}
    </tr>
  );
}

/** In the order of NAMES. */
function factsOf(store: RunStore): string[] {
  const status = store.status.value!;
  const metrics = store.metrics.value;
  const before = lateMean(metrics, "queryBefore");
  const after = lateMean(metrics, "queryAfter");
  const gain = before === null || after === null ? null : 1 - after / before;
  const psnr = store.images.value.flatMap(({ entries }) => entries.at(-1)?.psnr.adapted ?? []);
  return [
    `${formatCount(status.step)} of ${formatCount(status.totalSteps)}`,
    formatLoss(before),
    formatLoss(after),
    formatPercent(gain),
    formatDecibels(mean(psnr)),
    formatSeconds(lateMean(metrics, "seconds")),
  ];
}

/** Mean over the last tenth of meta-training. */
function lateMean(metrics: MetricsColumns | undefined, name: "queryBefore" | "queryAfter" | "seconds"): number | null {
  if (metrics === undefined) return null;
  const values = pick(metrics[name], rowsOf(metrics, "metaTraining"));
  return mean(values.slice(-Math.max(1, Math.ceil(values.length / 10))));
}

function mean(values: readonly Value[]): number | null {
  const known = values.filter((value): value is number => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
