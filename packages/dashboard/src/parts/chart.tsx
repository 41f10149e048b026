/** uPlot as a component: themed, sized to its box, read with mouse, finger or arrow keys. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Value } from "../data/series.js";
import type { Theme } from "../theme.js";

export interface Line {
  readonly name: string;
  readonly values: readonly Value[];
  /** Name of a CSS custom property. */
  readonly colour: string;
  /** Widths in CSS pixels; 0 draws no line (an edge of a band). */
  readonly width?: number;
  readonly opacity?: number;
  readonly dash?: readonly number[];
}

export interface ChartProps {
  readonly theme: Theme;
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  /** Pairs of line indices (upper, lower) with the space between them filled. */
  readonly bands?: readonly { readonly between: readonly [number, number]; readonly colour: string }[];
  /** Range of y; undefined leaves it to the lines. */
  readonly range?: readonly [number, number] | undefined;
  readonly logarithmic?: boolean;
  readonly height: number;
  /** Small: two ticks, no grid. */
  readonly small?: boolean;
  readonly formatX?: (x: number) => string;
  readonly formatY: (y: number) => string;
  /** For the axis; formatY when not given. */
  readonly formatTick?: (y: number) => string;
  /** Vertical lines at x. */
  readonly marks?: readonly { readonly x: number; readonly text: string }[];
  /** The row under the cursor, undefined when there is none. */
  readonly onRow?: (row: number | undefined) => void;
  /** What the chart shows, for those who cannot see it. */
  readonly label: string;
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const current = useRef(props);
  current.current = props;
  const shape = JSON.stringify([
    props.theme.shown.value,
    props.logarithmic ?? false,
    props.height,
    props.lines.map(({ name, colour, width, opacity, dash }) => [name, colour, width, opacity, dash]),
    props.bands,
  ]);

  useEffect(() => {
    const element = box.current!;
    const made = new uPlot(optionsOf(current, element), dataOf(current.current), element);
    plot.current = made;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth !== made.width)
        made.setSize({ width: element.clientWidth, height: current.current.height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props.x, props.lines, props.range, shape]);

  return (
    <div
      ref={box}
      class={props.small ? "chart small" : "chart"}
      role="img"
      aria-label={props.label}
      tabIndex={props.onRow === undefined ? undefined : 0}
      style={{ height: `${props.height}px` }}
      onKeyDown={(event) => plot.current && props.onRow && moveCursor(plot.current, event)}
      onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
    />
  );
}

function dataOf({ x, lines }: ChartProps): uPlot.AlignedData {
  return [x as number[], ...lines.map(({ values }) => values as (number | null)[])];
}

function optionsOf(current: { readonly current: ChartProps }, element: HTMLElement): uPlot.Options {
  const { lines, bands = [], logarithmic, height, small, theme } = current.current;
  const css = getComputedStyle(element);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const font = `11px ${css.fontFamily}`;
  const axis = {
    font,
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1, show: !small },
    ticks: { show: false },
  };
  theme.shown.peek();
  return {
    width: element.clientWidth,
    height,
    padding: small ? [8, 16, 0, 0] : [10, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 7 },
      drag: { x: false, y: false },
    },
    scales: {
      x: { time: false },
      y: {
        distr: logarithmic ? 3 : 1,
        range: (_plot, least, greatest) => rangeOf(current.current, least, greatest),
      },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        gap: 4,
        space: small ? 44 : 90,
        values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? formatX(current.current, tick) : "")),
      },
      {
        ...axis,
        size: (_plot, ticks) => Math.max(30, 12 + 6.4 * Math.max(0, ...(ticks ?? []).map((tick) => tick.length))),
        gap: 6,
        space: small ? 22 : 44,
        ...(logarithmic
          ? { splits: (_plot: uPlot, _axis: number, least: number, most: number) => logSplits(least, most) }
          : {}),
        values: (_plot, ticks) =>
          ticks.map((tick) => (tick === null ? "" : (current.current.formatTick ?? current.current.formatY)(tick))),
      },
    ],
    series: [
      {},
      ...lines.map(
        ({ name, colour: stroke, width = 1.75, opacity = 1, dash }): uPlot.Series => ({
          label: name,
          stroke: withOpacity(colour(stroke), opacity),
          width,
          points: { show: width > 0 && lines[0]!.values.length < 20, size: 5, fill: colour(stroke) },
          spanGaps: true,
          ...(dash === undefined ? {} : { dash: [...dash] }),
        }),
      ),
    ],
    bands: bands.map(({ between: [upper, lower], colour: fill }) => ({
      series: [upper + 1, lower + 1],
      fill: withOpacity(colour(fill), 0.1),
    })),
    hooks: {
      setCursor: [({ cursor }) => current.current.onRow?.(cursor.idx ?? undefined)],
      draw: [(plot) => drawMarks(plot, current.current, colour("--muted"), font)],
    },
  };
}

function formatX({ formatX: format }: ChartProps, x: number): string {
  return format === undefined ? String(x) : format(x);
}

function rangeOf({ range, logarithmic }: ChartProps, least: number, greatest: number): [number, number] {
  let [low, high] = range ?? [least ?? 0, greatest ?? 1];
  if (!(high > low)) [low, high] = [low - Math.abs(low) * 0.1 - 1e-9, high + Math.abs(high) * 0.1 + 1e-9];
  if (logarithmic) return [Math.max(low, 1e-12) / 1.1, high * 1.1];
  const margin = 0.08 * (high - low);
  return [low - margin < 0 && low >= 0 ? 0 : low - margin, high + margin];
}

/** 1, 2, 5 × 10^n; evenly spaced numbers where these are too few. */
function logSplits(least: number, greatest: number): number[] {
  const splits: number[] = [];
  for (let decade = Math.floor(Math.log10(least)); 10 ** decade <= greatest; decade++) {
    splits.push(...[1, 2, 5].map((factor) => factor * 10 ** decade));
  }
  const inside = splits.filter((split) => split >= least && split <= greatest);
  if (inside.length >= 3) return inside;
  return Array.from({ length: 5 }, (_, at) => Number((least * (greatest / least) ** ((at + 0.5) / 5)).toPrecision(2)));
}

function drawMarks(plot: uPlot, { marks = [] }: ChartProps, colour: string, font: string): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = scale;
  ctx.font = font.replace(/^\d+/, (size) => String(Number(size) * scale));
  for (const { x, text } of marks) {
    const at = plot.valToPos(x, "x", true);
    if (at < bbox.left || at > bbox.left + bbox.width) continue;
    ctx.setLineDash([3 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(text, at + 6 * scale, bbox.top + 12 * scale);
  }
  ctx.restore();
}

/** Left and right by a point, with shift by ten; Home and End. */
function moveCursor(plot: uPlot, event: KeyboardEvent): void {
  const last = plot.data[0].length - 1;
  const row = plot.cursor.idx ?? last;
  const stride = event.shiftKey ? 10 : 1;
  const next = { ArrowLeft: row - stride, ArrowRight: row + stride, Home: 0, End: last }[event.key];
  if (next === undefined || last < 0) return;
  event.preventDefault();
  const x = plot.data[0][Math.min(last, Math.max(0, next))]!;
  plot.setCursor({ left: plot.valToPos(x, "x"), top: plot.height / 2 });
}

function withOpacity(colour: string, opacity: number): string {
  return opacity === 1
    ? colour
    : `${colour}${Math.round(255 * opacity)
        .toString(16)
        .padStart(2, "0")}`;
}
