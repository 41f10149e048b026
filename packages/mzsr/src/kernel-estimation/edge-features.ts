/**
 * What the edges of a photo say of its blur: across a sharp edge one step from pixel to pixel makes most of the whole
 * difference, across a blurred one none does.
 */
import type { Plane } from "./luma.js";
import { quantile } from "./spectrum-features.js";

/** Profiles are read along these, as [down, right]. */
const DIRECTIONS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const;
/** Samples on either side of a profile's middle. */
const REACH = 4;
/** Shares of the profiles, by contrast, above which they count as edges. */
const EDGE_QUANTILES = [0.85, 0.97] as const;
/** A smaller difference is no edge: four grey levels. */
const LEAST_CONTRAST = 4 / 255;
const SLOPE_QUANTILES = [0.25, 0.5, 0.75, 0.9, 0.97] as const;
const BEND_QUANTILES = [0.5, 0.75, 0.95] as const;
const PER_SELECTION = SLOPE_QUANTILES.length + BEND_QUANTILES.length;
const PER_DIRECTION = EDGE_QUANTILES.length * PER_SELECTION;
/** Profiles in a direction; of larger photos an even part is looked at. */
const MOST_PROFILES = 2 ** 17;

/** Direction by direction, for each share of edges: quantiles of the steepest step, then of the sharpest bend. */
export const EDGE_FEATURES = DIRECTIONS.length * PER_DIRECTION;

/** Order of features after a change of the photo that exchanges directions. */
export function directionsPermuted(directionOf: readonly number[]): Int32Array {
  return Int32Array.from({ length: EDGE_FEATURES }, (_, i) => {
    return directionOf[Math.floor(i / PER_DIRECTION)]! * PER_DIRECTION + (i % PER_DIRECTION);
  });
}

/** @param plane at least ten pixels wide and high */
export function edgeFeatures(plane: Plane): Float64Array {
  return Float64Array.from(DIRECTIONS.flatMap((direction) => featuresAlong(plane, direction)));
}

function featuresAlong(plane: Plane, direction: readonly [number, number]): number[] {
  const { contrasts, slopes, bends } = profilesAlong(plane, direction);
  const sorted = contrasts.slice().sort();
  return EDGE_QUANTILES.flatMap((share) => {
    const least = Math.max(quantile(sorted, share), LEAST_CONTRAST);
    const edges = indicesOf(contrasts, least);
    return [...quantilesOf(slopes, edges, SLOPE_QUANTILES), ...quantilesOf(bends, edges, BEND_QUANTILES)];
  });
}

function indicesOf(values: Float64Array, least: number): Int32Array {
  const found = new Int32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! >= least) found[count++] = i;
  return found.subarray(0, count);
}

/** Of a photo without edges: nothing steep, nothing bent. */
function quantilesOf(values: Float64Array, chosen: Int32Array, quantiles: readonly number[]): number[] {
  if (chosen.length === 0) return quantiles.map(() => 0);
  const sorted = new Float64Array(chosen.length);
  for (let i = 0; i < chosen.length; i++) sorted[i] = values[chosen[i]!]!;
  sorted.sort();
  return quantiles.map((q) => quantile(sorted, q));
}

/** For every second pixel both ways: the range of its profile, and the steepest step and sharpest bend as parts of it. */
function profilesAlong({ height, width, data }: Plane, [down, right]: readonly [number, number]) {
  const rows = height - 2 * REACH;
  const columns = width - 2 * REACH;
  let stride = 2;
  while (Math.ceil(rows / stride) * Math.ceil(columns / stride) > MOST_PROFILES) stride++;
  const count = Math.ceil(rows / stride) * Math.ceil(columns / stride);
  const [contrasts, slopes, bends] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const step = down * width + right;
  // Equal margins on opposite sides.
  const top = REACH + (((rows - 1) % stride) >> 1);
  const left = REACH + (((columns - 1) % stride) >> 1);
  let at = 0;
  for (let y = top; y < height - REACH; y += stride) {
    for (let x = left; x < width - REACH; x += stride, at++) {
      const first = y * width + x - REACH * step;
      const contrast = rangeOf(data, first, step);
      contrasts[at] = contrast;
      slopes[at] = steepest(data, first, step) / Math.max(contrast, LEAST_CONTRAST);
      bends[at] = mostBent(data, first, step) / Math.max(contrast, LEAST_CONTRAST);
    }
  }
  return { contrasts, slopes, bends };
}

function rangeOf(data: Float32Array, first: number, step: number): number {
  let least = data[first]!;
  let most = least;
  for (let i = 1; i <= 2 * REACH; i++) {
    const value = data[first + i * step]!;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least;
}

/** The largest of the four differences around the middle. */
function steepest(data: Float32Array, first: number, step: number): number {
  let most = 0;
  for (let i = REACH - 2; i < REACH + 2; i++) {
    const difference = Math.abs(data[first + (i + 1) * step]! - data[first + i * step]!);
    if (difference > most) most = difference;
  }
  return most;
}

/** The largest second difference at −2 … 2 from the middle. */
function mostBent(data: Float32Array, first: number, step: number): number {
  let most = 0;
  for (let i = REACH - 2; i <= REACH + 2; i++) {
    const at = first + i * step;
    const bend = Math.abs(data[at + step]! - 2 * data[at]! + data[at - step]!);
    if (bend > most) most = bend;
  }
  return most;
}
