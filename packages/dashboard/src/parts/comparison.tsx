import type { ClusterStatus, MetricsColumns } from "@mzsr/shared";
import { pick, rowsOf, type Value } from "../data/series.js";
import type { RunStore } from "../data/store.js";
import { formatCount, formatDecibels, formatLoss, formatPercent, formatSeconds } from "../format.js";

/** Two runs side by side, in numbers. */
export function Comparison({ store, compared }: { store: RunStore; compared: RunStore }) {
  const other = compared.status.value;
  if (compared.problem.value !== undefined) return <p class="notice bad">{compared.problem.value}</p>;
  if (other === undefined) return null;
  const rows = [store, compared].map((run) => ({ run: run.status.value!.run, facts: factsOf(run) }));
  return (
    <section class="comparison" aria-labelledby="comparison-title">
      <h2 id="comparison-title">Side by side</h2>
      <div class="scrolled">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              {rows[0]!.facts.map(([name]) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ run, facts }) => (
              <tr key={run}>
                <th scope="row">{run}</th>
                {facts.map(([name, value]) => (
                  <td key={name}>{value}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function factsOf(store: RunStore): [name: string, value: string][] {
  const status: ClusterStatus = store.status.value!;
  const metrics = store.metrics.value;
  const before = lateMean(metrics, "queryBefore");
  const after = lateMean(metrics, "queryAfter");
  const gain = before === null || after === null ? null : 1 - after / before;
  const psnr = store.images.value.flatMap(({ entries }) => entries.at(-1)?.psnr.adapted ?? []);
  return [
    ["Steps", `${formatCount(status.step)} of ${formatCount(status.totalSteps)}`],
    ["Loss before adaptation", formatLoss(before)],
    ["Loss after adaptation", formatLoss(after)],
    ["Gain from adaptation", formatPercent(gain)],
    ["Held-out pictures, adapted", formatDecibels(mean(psnr))],
    ["Time of a step", formatSeconds(lateMean(metrics, "seconds"))],
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
