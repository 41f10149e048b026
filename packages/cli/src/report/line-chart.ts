/** A line chart as an inline SVG that takes its colours from the page (classes line-0, line-1, …). */

export interface Series {
  readonly name: string;
  /** Ascending in x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Default linear. */
  readonly xAxis?: AxisKind;
  /** Default logarithmic. */
  readonly yAxis?: AxisKind;
}

/** A logarithmic axis shows positive values alone. */
export type AxisKind = "linear" | "logarithmic";

const WIDTH = 640;
const HEIGHT = 280;
const MARGIN = { left: 64, right: 16, top: 16, bottom: 44 };
const MOST_POINTS = 400;

/** A figure with its legend. Returns an empty text when there is nothing to draw. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const svg = chartSvg(series, options);
  if (svg === "") return "";
  return [
    `<figure class="chart"><figcaption>${escapeHtml(options.title)}</figcaption>`,
    svg,
    `<p class="legend">${series.map(({ name }, i) => `<span class="key line-${i}">${escapeHtml(name)}</span>`).join("")}</p></figure>`,
  ].join("\n");
}

/** The SVG alone. */
export function chartSvg(series: readonly Series[], options: ChartOptions): string {
  const { xAxis = "linear", yAxis = "logarithmic" } = options;
  const shows = (kind: AxisKind, value: number) => Number.isFinite(value) && (kind === "linear" || value > 0);
  const drawn = series.map(({ points }) => points.filter(([x, y]) => shows(xAxis, x) && shows(yAxis, y)));
  const all = drawn.flat();
  if (all.length === 0) return "";
  const x = axisOf(
    xAxis,
    all.map((point) => point[0]),
    { from: MARGIN.left, to: WIDTH - MARGIN.right, padding: 0 },
  );
  const y = axisOf(
    yAxis,
    all.map((point) => point[1]),
    { from: HEIGHT - MARGIN.bottom, to: MARGIN.top, padding: 0.05 },
  );
  const lines = drawn.map((points, i) => {
    const path = thinned(points).map(([px, py]) => `${x.place(px).toFixed(1)},${y.place(py).toFixed(1)}`);
    return `<polyline class="line line-${i}" points="${path.join(" ")}"/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(options.title)}">`,
    ...y.ticks.map((value) => yTick(value, y.place(value))),
    ...x.ticks.map((value) => xTick(value, x.place(value))),
    `<text class="label" x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(options.xLabel)}</text>`,
    `<text class="label" transform="translate(14 ${HEIGHT / 2 - 10}) rotate(-90)" text-anchor="middle">${escapeHtml(options.yLabel)}</text>`,
    ...lines,
    "</svg>",
  ].join("\n");
}

interface Axis {
  place(value: number): number;
  readonly ticks: readonly number[];
}

/** @param padding as a share of the range, at both ends */
function axisOf(
  kind: AxisKind,
  values: readonly number[],
  { from, to, padding }: { readonly from: number; readonly to: number; readonly padding: number },
): Axis {
  const along = (value: number) => (kind === "logarithmic" ? Math.log10(value) : value);
  const [low, high] = extent(values.map(along));
  const pad = padding === 0 ? 0 : Math.max(0.02, padding * (high - low));
  const scale = linearScale([low - pad, high + pad], from, to);
  const ticks = kind === "logarithmic" ? logTicks(low - pad, high + pad) : linearTicks(scale.domain);
  return { place: (value) => scale.place(along(value)), ticks };
}

/** Means over `window` neighbouring values, fewer at the start. */
export function smoothed(points: Series["points"], window: number): [number, number][] {
  let sum = 0;
  return points.map(([x, y], i) => {
    sum += y - (i >= window ? points[i - window]![1] : 0);
    return [x, sum / Math.min(i + 1, window)];
  });
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function thinned(points: Series["points"]): Series["points"] {
  const stride = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => i % stride === 0 || i === points.length - 1);
}

function extent(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [values[0]!, values[0]!],
  );
}

function linearScale(domain: readonly [number, number], from: number, to: number) {
  const span = domain[1] - domain[0] || 1;
  return { domain, place: (value: number) => from + ((value - domain[0]) / span) * (to - from) };
}

function linearTicks([low, high]: readonly [number, number]): number[] {
  const rough = Math.max(high - low, 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!;
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
  return ticks;
}

/** 1, 2 and 5 times powers of ten, or finer where these would be too few. Arguments are logarithms. */
function logTicks(low: number, high: number): number[] {
  for (const multiples of [[1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8], Array.from({ length: 90 }, (_, i) => 1 + i / 10)]) {
    const ticks: number[] = [];
    for (let power = Math.floor(low); power <= high; power++) {
      ticks.push(...multiples.map((m) => m * 10 ** power).filter((v) => Math.log10(v) >= low && Math.log10(v) <= high));
    }
    if (ticks.length >= 3) return ticks.filter((_, i) => i % Math.ceil(ticks.length / 7) === 0);
  }
  return [10 ** ((low + high) / 2)];
}

function yTick(value: number, y: number): string {
  const text = Number(value.toPrecision(3)).toString();
  return (
    `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>` +
    `<text class="tick" x="${MARGIN.left - 8}" y="${(y + 4).toFixed(1)}" text-anchor="end">${text}</text>`
  );
}

function xTick(value: number, x: number): string {
  const text = Number(value.toPrecision(3)).toString();
  return `<text class="tick" x="${x.toFixed(1)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${text}</text>`;
}
