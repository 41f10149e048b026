/**
 * What the spectrum of a photo says of its blur: how fast power falls with frequency, and in which direction faster. A
 * blur multiplies the spectrum by that of its kernel; photographs as such have about the same spectrum everywhere.
 */
import type { Plane } from "./luma.js";
import { WINDOW_SIDE, WindowPower } from "./window-power.js";

/** Pixels from one window to the next, where the photo is not too large for so many. */
const STRIDE = 16;
/** Of larger photos an even part is looked at, so that time is bounded. */
const MOST_WINDOWS = 4096;
/** Windows with less energy in the middle frequencies than this quantile say little about blur, but much about noise. */
const FLAT_QUANTILE = 0.33;
const MIDDLE = { above: 0.06, below: 0.25 } as const;
/** Radii between rings, in cycles a pixel; the last ring holds the corners. */
const RING_EDGES = [0.06, 0.12, 0.19, 0.26, 0.33, 0.4, 0.47, 0.56, Number.POSITIVE_INFINITY] as const;
const RINGS = RING_EDGES.length - 1;
/** Sectors of 22.5°, the first one centred on the x axis, so that flips and quarter turns of a photo permute them. */
export const SECTORS = 8;
/** Keeps logarithms of nothing finite; in luma² it is a noise of 1/1000, a quarter of a grey level. */
const FLOOR = 1e-6;

const BINS = binsOfFrequencies();

/** Spectra: that of the windows with structure, each scaled alike; the mean of all, scaled; that of the flat ones as it is. */
const SPECTRA = 3;

/** Logarithms of mean power: spectrum by spectrum, ring by ring, sector by sector. */
export const SPECTRUM_FEATURES = SPECTRA * BINS.used.length;

/** Where a spectrum's feature stands whose sector is another: what flips and turns do to the features. */
export function sectorPermuted(sectorOf: (sector: number) => number): Int32Array {
  const order = new Int32Array(SPECTRUM_FEATURES);
  BINS.used.forEach((bin, i) => {
    const [ring, sector] = [Math.floor(bin / SECTORS), bin % SECTORS];
    const source = BINS.used.indexOf(ring * SECTORS + sectorOf(sector));
    for (let s = 0; s < SPECTRA; s++) order[s * BINS.used.length + i] = s * BINS.used.length + source;
  });
  return order;
}

/** @param plane at least one window wide and high */
export function spectrumFeatures(plane: Plane): Float64Array {
  const powers = windowPowers(plane);
  const energies = powers.map(middleEnergy);
  const least = quantile(Float64Array.from(energies).sort(), FLAT_QUANTILE);
  const structured = new Float64Array(WINDOW_SIDE ** 2);
  const all = new Float64Array(WINDOW_SIDE ** 2);
  const flat = new Float64Array(WINDOW_SIDE ** 2);
  for (const [w, power] of powers.entries()) {
    const energy = energies[w]!;
    add(all, power, 1 / powers.length);
    if (energy >= least) add(structured, power, 1 / Math.max(energy, FLOOR));
    if (energy <= least) add(flat, power, 1);
  }
  scale(structured, 1 / Math.max(1, energies.filter((energy) => energy >= least).length));
  scale(flat, 1 / Math.max(1, energies.filter((energy) => energy <= least).length));
  scale(all, 1 / Math.max(energies.reduce((sum, energy) => sum + energy, 0) / energies.length, FLOOR));
  return Float64Array.from([structured, all, flat].flatMap((power) => [...binLogarithms(power)]));
}

/** Of windows on an even grid with equal margins on opposite sides. */
function windowPowers(plane: Plane): Float64Array[] {
  const measure = new WindowPower();
  const rows = plane.height - WINDOW_SIDE;
  const columns = plane.width - WINDOW_SIDE;
  const windows = (stride: number) => (Math.floor(rows / stride) + 1) * (Math.floor(columns / stride) + 1);
  let stride = STRIDE;
  while (windows(stride) > MOST_WINDOWS) stride++;
  const powers: Float64Array[] = [];
  for (let y = (rows % stride) >> 1; y <= rows; y += stride) {
    for (let x = (columns % stride) >> 1; x <= columns; x += stride) {
      const power = new Float64Array(WINDOW_SIDE ** 2);
      measure.measure(plane, y, x, power);
      powers.push(power);
    }
  }
  return powers;
}

function middleEnergy(power: Float64Array): number {
  let sum = 0;
  for (const i of BINS.middle) sum += power[i]!;
  return sum / BINS.middle.length;
}

function binLogarithms(power: Float64Array): number[] {
  const sums = new Float64Array(RINGS * SECTORS);
  for (let i = 0; i < power.length; i++) {
    const bin = BINS.of[i]!;
    if (bin >= 0) sums[bin]! += power[i]!;
  }
  return BINS.used.map((bin) => Math.log(sums[bin]! / BINS.counts[bin]! + FLOOR));
}

/** For each frequency of a window its bin (−1 outside all rings), the bins that are not empty, and the middle frequencies. */
function binsOfFrequencies() {
  const of = new Int32Array(WINDOW_SIDE ** 2).fill(-1);
  const counts = new Int32Array(RINGS * SECTORS);
  const middle: number[] = [];
  for (let i = 0; i < of.length; i++) {
    const [fx, fy] = [frequency(i % WINDOW_SIDE), frequency(Math.floor(i / WINDOW_SIDE))];
    const radius = Math.hypot(fx, fy);
    if (radius > MIDDLE.above && radius < MIDDLE.below) middle.push(i);
    if (radius < RING_EDGES[0]) continue;
    const ring = RING_EDGES.findIndex((edge, r) => r > 0 && radius < edge) - 1;
    const sector = Math.round((Math.atan2(fy, fx) * SECTORS) / Math.PI + 2 * SECTORS) % SECTORS;
    of[i] = ring * SECTORS + sector;
    counts[of[i]!]!++;
  }
  const used = [...counts.keys()].filter((bin) => counts[bin]! > 0);
  return { of, counts, used, middle };
}

/** In cycles a pixel, from −½ to below ½: half a cycle a pixel has no sign, and counts as negative. */
function frequency(index: number): number {
  return (index < WINDOW_SIDE / 2 ? index : index - WINDOW_SIDE) / WINDOW_SIDE;
}

/** Linear between neighbours. @param sorted ascending, not empty */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

function add(target: Float64Array, values: Float64Array, weight: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += weight * values[i]!;
}

function scale(target: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i]! *= factor;
}
