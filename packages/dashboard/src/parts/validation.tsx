import type { KernelValidation, ValidationSummary } from "@mzsr/shared";
import { useMemo } from "preact/hooks";
import type { RunStore } from "../data/store.js";
import { formatCount, formatDecibels } from "../format.js";
import type { Theme } from "../theme.js";
import { Chart } from "./chart.js";

const HEIGHT = 180;

/** How good the run's models are on images that they are not trained on; nothing for a run that does not measure it. */
export function Validation({ store, theme }: { store: RunStore; theme: Theme }) {
  const validations = store.validations.value;
  const newest = validations.at(-1);
  if (newest === undefined) return null;
  const best = validations.reduce((a, b) => (last(b.psnr) > last(a.psnr) ? b : a));
  return (
    <section class="validation" aria-labelledby="validation-title">
      <div class="section-head">
        <h2 id="validation-title">How good is it on images it never saw?</h2>
        <p class="verdict neutral">
          Best {formatDecibels(last(best.psnr))} at step {formatCount(best.step)}
        </p>
      </div>
      <Curve validations={validations} updates={newest.updates} theme={theme} />
      <Table newest={newest} />
    </section>
  );
}

function Curve({
  validations,
  updates,
  theme,
}: {
  validations: readonly ValidationSummary[];
  updates: readonly number[];
  theme: Theme;
}) {
  // A resumed run may count updates otherwise; its curve begins there.
  const shown = useMemo(() => validations.filter((each) => each.updates.join() === updates.join()), [validations]);
  const lines = useMemo(() => {
    const values = (of: (each: ValidationSummary) => number) => shown.map(of);
    const after = updates.map((count, i) => ({
      name: updatesText(count),
      values: values(({ psnr }) => psnr[i]!),
      colour: i === updates.length - 1 ? "--after" : "--before",
      width: i === updates.length - 1 ? 2 : 1.5,
      opacity: (i + 1) / updates.length,
    }));
    return [
      { name: "bicubic", values: values(({ bicubic }) => bicubic), colour: "--muted", width: 1, dash: [4, 4] },
      ...after,
    ];
  }, [shown]);
  return (
    <Chart
      theme={theme}
      x={shown.map(({ step }) => step)}
      lines={lines}
      height={HEIGHT}
      formatX={formatCount}
      formatY={(decibels) => formatDecibels(decibels)}
      label={`Mean PSNR on held-out images over the steps, now ${formatDecibels(last(shown.at(-1)!.psnr))}`}
    />
  );
}

function Table({ newest: { step, images, updates, weights, bicubic, psnr, kernels } }: { newest: ValidationSummary }) {
  const rows: readonly KernelValidation[] = [...kernels, { kernel: "mean", bicubic, psnr }];
  const caption = `Step ${formatCount(step)}, ${images} ${images === 1 ? "image" : "images"}${weights === "ema" ? ", moving average" : ""}`;
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Kernel</th>
          <th scope="col">Bicubic</th>
          {updates.map((count) => (
            <th key={count} scope="col">
              {updatesText(count)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.kernel}>
            <th scope="row">{row.kernel}</th>
            <td>{formatDecibels(row.bicubic)}</td>
            {row.psnr.map((decibels, i) => (
              <td key={updates[i]}>{formatDecibels(decibels)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function updatesText(count: number): string {
  return count === 1 ? "1 update" : `${count} updates`;
}

function last(values: readonly number[]): number {
  return values.at(-1)!;
}
