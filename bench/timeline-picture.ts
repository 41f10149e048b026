// Draws what workers did over a stretch of time, one lane each, as an SVG that is legible on light and dark pages.

/** What a worker was busy with, in seconds since 1970. */
export interface Interval {
  readonly worker: string;
  readonly kind: "data" | "compute";
  readonly from: number;
  readonly to: number;
}

const WIDTH = 900;
const LEFT = 90;
const LANE = 34;
const TOP = 34;
const COLOURS = { data: "#d98a1f", compute: "#2f6fb3" } as const;

/** @param stepEnds when steps were finished */
export function timelinePicture(
  intervals: readonly Interval[],
  stepEnds: readonly number[],
  [from, to]: readonly [number, number],
): string {
  const workers = [...new Set(intervals.map(({ worker }) => worker))].sort();
  const height = TOP + workers.length * LANE + 30;
  const x = (seconds: number) => LEFT + ((seconds - from) / (to - from)) * (WIDTH - LEFT - 10);
  const bars = intervals
    .filter((each) => each.to > from && each.from < to)
    .map(({ worker, kind, ...bar }) => {
      const [a, b] = [x(Math.max(from, bar.from)), x(Math.min(to, bar.to))];
      const y = TOP + workers.indexOf(worker) * LANE;
      return `<rect x="${a.toFixed(1)}" y="${y}" width="${(b - a).toFixed(1)}" height="${LANE - 8}" fill="${COLOURS[kind]}"/>`;
    });
  const lanes = workers.map((worker, i) => text(LEFT - 8, TOP + i * LANE + 17, worker, "end"));
  const bottom = TOP + workers.length * LANE;
  const ends = stepEnds
    .filter((end) => end > from && end < to)
    .map((end) => {
      const at = x(end).toFixed(1);
      return `<line x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${bottom}" stroke="#c0392b" stroke-width="1.5"/>`;
    });
  const legend = [
    swatch(LEFT, COLOURS.data, "making a task's data"),
    swatch(LEFT + 190, COLOURS.compute, "meta-gradient"),
    text(LEFT + 340, 17, "red: a step ends, θ is updated · white: waiting", "start"),
    text(LEFT, bottom + 20, "0 ms", "start"),
    text(WIDTH - 10, bottom + 20, `${Math.round((to - from) * 1000)} ms`, "end"),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    "<title>What each worker did over some meta-steps</title>",
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...legend,
    ...lanes,
    ...bars,
    ...ends,
    "</svg>\n",
  ].join("\n");
}

function swatch(x: number, colour: string, words: string): string {
  return `<rect x="${x}" y="6" width="14" height="14" fill="${colour}"/>\n${text(x + 20, 17, words, "start")}`;
}

function text(x: number, y: number, words: string, anchor: "start" | "end"): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#333333">${words}</text>`;
}
