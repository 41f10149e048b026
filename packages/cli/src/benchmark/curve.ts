/** Quality over time: what ZSSR needs minutes for, and MZSR seconds, on one photo. */
import { type ChartOptions, chartSvg, escapeHtml, lineChart, type Series } from "../report/line-chart.js";
import type { JobResult } from "./job.js";

export interface Curve {
  /** For a page. */
  readonly figure: string;
  /** A picture of its own. */
  readonly picture: string;
}

/** Undefined where quality was followed nowhere. */
export function qualityCurve(results: readonly JobResult[]): Curve | undefined {
  const series = results.flatMap(({ model, methods }): Series[] =>
    methods.flatMap(({ method, curve }) => {
      if (curve === undefined || curve.length === 0) return [];
      return [{ name: method === "zssr" ? "ZSSR" : `MZSR, ${model}`, points: curve }];
    }),
  );
  const [first] = results.filter(({ methods }) => methods.some(({ curve }) => curve !== undefined));
  if (series.length === 0 || first === undefined) return undefined;
  const options: ChartOptions = {
    title: `${first.image}, ${first.kernel} ${first.downsampling} ×${first.scale}`,
    xLabel: "seconds of adaptation or training",
    yLabel: "PSNR-Y (dB)",
    xAxis: "logarithmic",
    yAxis: "linear",
  };
  return { figure: lineChart(series, options), picture: standalone(chartSvg(series, options), series) };
}

const COLOURS = ["#60646c", "#c2570c", "#0e7490", "#7c3aed", "#15803d"];

/** With its own colours, and a legend within the picture. */
function standalone(svg: string, series: readonly Series[]): string {
  const lines = COLOURS.map((colour, i) => `.line-${i}{stroke:${colour}}.name-${i}{fill:${colour}}`).join("");
  const style = `<style>text{font:12px sans-serif;fill:#1c2024}.grid{stroke:#e2e4e9}.line{fill:none;stroke-width:2}${lines}</style>`;
  const names = series.map(
    ({ name }, i) => `<text class="name-${i}" x="616" y="${222 - 16 * i}" text-anchor="end">${escapeHtml(name)}</text>`,
  );
  return svg
    .replace(">\n", `>\n<rect width="100%" height="100%" fill="#ffffff"/>\n${style}\n`)
    .replace("</svg>", `${names.join("\n")}\n</svg>\n`);
}
