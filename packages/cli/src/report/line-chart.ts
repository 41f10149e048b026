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
}

const WIDTH = 640;
const HEIGHT = 280;
const MARGIN = { left: 64, right: 16, top: 16, bottom: 44 };
const MOST_POINTS = 400;

/** Positive values on a logarithmic y axis. Returns an empty text when there is nothing to draw. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const drawn = series.map(({ name, points }) => ({
    name,
    points: points.filter(([, y]) => y > 0 && Number.isFinite(y)),
  }));
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) return "";
  const x = linearScale(extent(all.map((point) => point[0])), MARGIN.left, WIDTH - MARGIN.right);
  const [low, high] = extent(all.map((point) => Math.log10(point[1])));
  const pad = Math.max(0.02, 0.05 * (high - low));
  const y = linearScale([low - pad, high + pad], HEIGHT - MARGIN.bottom, MARGIN.top);
  const lines = drawn.map(({ points }, i) => {
    const path = thinned(points).map(([px, py]) => `${x.place(px).toFixed(1)},${y.place(Math.log10(py)).toFixed(1)}`);
    return `<polyline class="line line-${i}" points="${path.join(" ")}"/>`;
  });
  return [
    `<figure class="chart"><figcaption>${escapeHtml(options.title)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(options.title)}">`,
    ...logTicks(low - pad, high + pad).map((value) => yTick(value, y.place(Math.log10(value)))),
    ...linearTicks(x.domain).map((value) => xTick(value, x.place(value))),
    `<text class="label" x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(options.xLabel)}</text>`,
    `<text class="label" transform="translate(14 ${HEIGHT / 2 - 10}) rotate(-90)" text-anchor="middle">${escapeHtml(options.yLabel)}</text>`,
    ...lines,
    "</svg>",
    `<p class="legend">${drawn.map(({ name }, i) => `<span class="key line-${i}">${escapeHtml(name)}</span>`).join("")}</p></figure>`,
  ].join("\n");
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
  return `<text class="tick" x="${x.toFixed(1)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${value}</text>`;
}
