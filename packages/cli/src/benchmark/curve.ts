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
  const methods = results.flatMap(({ model, methods }): Series[] =>
    methods.flatMap(({ method, curve }) => {
      if (curve === undefined || curve.length === 0) return [];
      return [{ name: method === "zssr" ? "ZSSR" : `MZSR, ${model}`, points: curve }];
    }),
  );
  const [first] = results.filter(({ methods }) => methods.some(({ curve }) => curve !== undefined));
  if (methods.length === 0 || first === undefined) return undefined;
  const series = [...bicubicOf(results, first, methods), ...methods];
  const options: ChartOptions = {
    title: `${first.image}, ${first.kernel} ${first.downsampling} ×${first.scale}`,
    xLabel: "seconds until the photo is enlarged",
    yLabel: "PSNR-Y (dB)",
    xAxis: "logarithmic",
    yAxis: "linear",
  };
  return { figure: lineChart(series, options), picture: standalone(chartSvg(series, options), series) };
}

/** Interpolation as a level, since it takes next to no time. */
function bicubicOf(results: readonly JobResult[], first: JobResult, methods: readonly Series[]): Series[] {
  const times = methods.flatMap(({ points }) => points.map(([seconds]) => seconds));
  return results
    .filter((r) => r.dataset === first.dataset && r.image === first.image && r.kernel === first.kernel)
    .filter((r) => r.scale === first.scale)
    .flatMap((r) => r.methods.filter(({ method }) => method === "bicubic"))
    .map(({ psnr_y }) => {
      const points = [Math.min(...times), Math.max(...times)].map((seconds): [number, number] => [seconds, psnr_y]);
      return { name: "bicubic", points };
    });
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
