import { createImage, type Image } from "./image.js";
import { mirrorIndex } from "./mirror.js";

/** Support of the cubic kernel, in pixels of the coarser grid. */
const CUBIC_WIDTH = 4;

/** How each output pixel of one axis is made: `taps` input pixels and their weights. */
interface AxisWeights {
  readonly length: number;
  readonly taps: number;
  /** [length · taps] input positions, mirrored into the image. */
  readonly indices: Int32Array;
  /** [length · taps] weights; those of one output pixel sum to 1. */
  readonly weights: Float64Array;
}

/** A rectangle of an image's pixels. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The size of an image in pixels. */
export type Size = Pick<Window, "height" | "width">;

/** A piece of an image, and where it lies. */
export interface ImagePiece extends Pick<Window, "top" | "left"> {
  readonly image: Image;
  readonly whole: Size;
}

/**
 * MATLAB's `imresize(image, scale, "cubic")`: antialiased when shrinking, symmetric edges, size ⌈size · scale⌉.
 * @param outSize [height, width]: only the upper left part of that size is computed (an ILR image of an odd-sized HR)
 * @param shift how far to the right and below of MATLAB's place each pixel is taken, in pixels of `image`
 * @returns values are not clipped; cubic interpolation overshoots at edges
 */
export function imresize(image: Image, scale: number, outSize?: readonly [number, number], shift = 0): Image {
  if (!(scale > 0 && Number.isFinite(scale))) throw new RangeError(`cannot resize by ${scale}`);
  const height = outSize?.[0] ?? resizedLength(image.height, scale);
  const width = outSize?.[1] ?? resizedLength(image.width, scale);
  return imresizeWindow({ image, top: 0, left: 0, whole: image }, scale, { top: 0, left: 0, height, width }, shift);
}

/**
 * A window of `imresize` of a whole image, the same to the bit, from a piece that holds what the window is made of.
 * @throws RangeError when it does not
 */
export function imresizeWindow(
  { image, top, left, whole }: ImagePiece,
  scale: number,
  window: Window,
  shift = 0,
): Image {
  const rows = { from: window.top, count: window.height };
  const columns = { from: window.left, count: window.width };
  const vertical = withinPiece(axisWeights(whole.height, scale, rows, shift), top, image.height);
  const horizontal = withinPiece(axisWeights(whole.width, scale, columns, shift), left, image.width);
  const result = createImage(window.height, window.width, image.channels);
  const mixColumns = image.channels === 3 ? mixColumnsOfColours : mixColumnsOfAny;
  const row = new Float64Array(image.width * image.channels);
  for (let y = 0; y < window.height; y++) {
    mixRows(image, vertical, y, row);
    mixColumns(row, image.channels, horizontal, result.data, y * window.width * image.channels);
  }
  return result;
}

/** The smallest piece of an image of this size that `imresizeWindow` makes a window of. */
export function imresizeSource(whole: Size, scale: number, window: Window, shift = 0): Window {
  const rows = reach(axisWeights(whole.height, scale, { from: window.top, count: window.height }, shift));
  const columns = reach(axisWeights(whole.width, scale, { from: window.left, count: window.width }, shift));
  return { top: rows.from, left: columns.from, height: rows.to - rows.from, width: columns.to - columns.from };
}

/** ⌈length · scale⌉, where 9 · (1/3) is 3 and not 4 although 1/3 has no exact double. */
function resizedLength(length: number, scale: number): number {
  const exact = length * scale;
  const nearest = Math.round(exact);
  return Math.abs(exact - nearest) < 1e-9 * length ? nearest : Math.ceil(exact);
}

/** Contributions as MATLAB computes them; positions are pixel centres, and both grids cover the same area. */
function axisWeights(
  inLength: number,
  scale: number,
  { from, count }: { readonly from: number; readonly count: number },
  shift: number,
): AxisWeights {
  const shrink = Math.min(scale, 1);
  const support = CUBIC_WIDTH / shrink;
  const taps = Math.ceil(support) + 2;
  const indices = new Int32Array(count * taps);
  const weights = new Float64Array(count * taps);
  for (let i = 0; i < count; i++) {
    const centre = (from + i + 0.5) / scale - 0.5 + shift;
    const first = Math.floor(centre - support / 2);
    let sum = 0;
    for (let t = 0; t < taps; t++) {
      const weight = shrink * cubic(shrink * (centre - first - t));
      indices[i * taps + t] = mirrorIndex(first + t, inLength);
      weights[i * taps + t] = weight;
      sum += weight;
    }
    for (let t = 0; t < taps; t++) weights[i * taps + t]! /= sum;
  }
  return withoutZeroTaps({ length: count, taps, indices, weights });
}

/** Keys' cubic convolution kernel with a = −½. */
function cubic(x: number): number {
  const a = Math.abs(x);
  if (a <= 1) return (1.5 * a - 2.5) * a * a + 1;
  if (a <= 2) return ((-0.5 * a + 2.5) * a - 4) * a + 2;
  return 0;
}

/** Drops the taps that weigh nothing in every output pixel: a quarter to a half of the work. */
function withoutZeroTaps(axis: AxisWeights): AxisWeights {
  const used: number[] = [];
  for (let t = 0; t < axis.taps; t++) {
    for (let i = 0; i < axis.length; i++) {
      if (axis.weights[i * axis.taps + t] !== 0) {
        used.push(t);
        break;
      }
    }
  }
  const taps = used.length;
  const indices = new Int32Array(axis.length * taps);
  const weights = new Float64Array(axis.length * taps);
  for (let i = 0; i < axis.length; i++) {
    for (let t = 0; t < taps; t++) {
      indices[i * taps + t] = axis.indices[i * axis.taps + used[t]!]!;
      weights[i * taps + t] = axis.weights[i * axis.taps + used[t]!]!;
    }
  }
  return { length: axis.length, taps, indices, weights };
}

/** First and last input position that weighs anything; `to` is exclusive. */
function reach({ indices, weights }: AxisWeights): { from: number; to: number } {
  let [from, to] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < indices.length; i++) {
    if (weights[i] === 0) continue;
    from = Math.min(from, indices[i]!);
    to = Math.max(to, indices[i]! + 1);
  }
  return { from, to };
}

/** Positions counted from where a piece begins. */
function withinPiece(axis: AxisWeights, start: number, length: number): AxisWeights {
  const indices = axis.indices.map((index, i) => {
    const inside = index - start;
    if (inside >= 0 && inside < length) return inside;
    if (axis.weights[i] === 0) return 0;
    throw new RangeError(`pixel ${index} is not among the ${length} from ${start}`);
  });
  return { ...axis, indices };
}

/** Output row `y` before its columns are resized: a weighted sum of whole input rows. */
function mixRows(image: Image, vertical: AxisWeights, y: number, row: Float64Array): void {
  const { data } = image;
  const length = row.length;
  row.fill(0);
  for (let t = 0; t < vertical.taps; t++) {
    const weight = vertical.weights[y * vertical.taps + t]!;
    if (weight === 0) continue;
    const start = vertical.indices[y * vertical.taps + t]! * length;
    for (let i = 0; i < length; i++) row[i]! += weight * data[start + i]!;
  }
}

type MixColumns = (
  row: Float64Array,
  channels: number,
  horizontal: AxisWeights,
  target: Float32Array,
  targetStart: number,
) => void;

/** As for any number of channels, in half the time. */
const mixColumnsOfColours: MixColumns = (row, _channels, { length, taps, indices, weights }, target, targetStart) => {
  for (let x = 0, t = 0, to = targetStart; x < length; x++, to += 3) {
    let [red, green, blue] = [0, 0, 0];
    for (const end = t + taps; t < end; t++) {
      const weight = weights[t]!;
      const at = indices[t]! * 3;
      red += weight * row[at]!;
      green += weight * row[at + 1]!;
      blue += weight * row[at + 2]!;
    }
    target[to] = red;
    target[to + 1] = green;
    target[to + 2] = blue;
  }
};

function mixColumnsOfAny(
  row: Float64Array,
  channels: number,
  horizontal: AxisWeights,
  target: Float32Array,
  targetStart: number,
): void {
  const { taps, indices, weights } = horizontal;
  for (let x = 0; x < horizontal.length; x++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let t = x * taps; t < (x + 1) * taps; t++) sum += weights[t]! * row[indices[t]! * channels + c]!;
      target[targetStart + x * channels + c] = sum;
    }
  }
}
