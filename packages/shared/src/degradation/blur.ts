import { createImage, type Image } from "../imaging/image.js";
import { mirrorIndex } from "../imaging/mirror.js";
import type { BlurKernel } from "./kernel.js";

/**
 * An image widened by the kernel's radius on all sides, symmetric at the edges, its columns sorted by their remainder
 * modulo `step`. So the pixels that one kernel weight meets on its way along an output row lie side by side, also when
 * only every `step`-th pixel is computed.
 */
interface PaddedImage {
  readonly data: Float32Array;
  /** Values per padded row. */
  readonly rowLength: number;
  /** Columns per remainder. */
  readonly phaseWidth: number;
}

/** Correlates every channel with the kernel; symmetric (half-sample) edges, same size. */
export function blur(image: Image, kernel: BlurKernel): Image {
  return blurEvery(image, kernel, 1);
}

/**
 * The pixels 0, step, 2 step, … of the blurred image, without computing the others: [⌈h / step⌉, ⌈w / step⌉].
 */
export function blurEvery(image: Image, kernel: BlurKernel, step: number): Image {
  const { channels } = image;
  const padded = pad(image, (kernel.size - 1) / 2, step);
  const offsets = tapOffsets(kernel.size, channels, step, padded);
  const result = createImage(Math.ceil(image.height / step), Math.ceil(image.width / step), channels);
  const rowLength = result.width * channels;
  for (let y = 0; y < result.height; y++) {
    const source = y * step * padded.rowLength;
    correlateRow(padded.data, source, kernel.data, offsets, result.data, y * rowLength, rowLength);
  }
  return result;
}

function pad(image: Image, radius: number, step: number): PaddedImage {
  const { height, width, channels } = image;
  const phaseWidth = Math.ceil((width + 2 * radius) / step);
  const rowLength = phaseWidth * step * channels;
  const data = new Float32Array((height + 2 * radius) * rowLength);
  const columns = Int32Array.from({ length: width + 2 * radius }, (_, x) => mirrorIndex(x - radius, width) * channels);
  for (let y = 0; y < height + 2 * radius; y++) {
    const source = mirrorIndex(y - radius, height) * width * channels;
    for (let x = 0; x < columns.length; x++) {
      const target = y * rowLength + columnOffset(x, step, phaseWidth) * channels;
      for (let c = 0; c < channels; c++) data[target + c] = image.data[source + columns[x]! + c]!;
    }
  }
  return { data, rowLength, phaseWidth };
}

/** Where padded column x stands in a row. */
function columnOffset(x: number, step: number, phaseWidth: number): number {
  return (x % step) * phaseWidth + Math.floor(x / step);
}

/** For each kernel weight, how far its pixel is from the first one, in values. */
function tapOffsets(size: number, channels: number, step: number, padded: PaddedImage): Int32Array {
  return Int32Array.from({ length: size * size }, (_, tap) => {
    const column = columnOffset(tap % size, step, padded.phaseWidth);
    return Math.floor(tap / size) * padded.rowLength + column * channels;
  });
}

/**
 * target[i] = Σ_t weights[t] · source[offsets[t] + i] for one output row. Eight sums at a time stay in registers, which
 * is what makes this fast; every sum runs over t in order, so the blocking does not show in the result.
 */
function correlateRow(
  source: Float32Array,
  sourceStart: number,
  weights: Float64Array,
  offsets: Int32Array,
  target: Float32Array,
  targetStart: number,
  length: number,
): void {
  const taps = weights.length;
  const blocked = length - (length % 8);
  for (let i = 0; i < blocked; i += 8) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    let s5 = 0;
    let s6 = 0;
    let s7 = 0;
    for (let t = 0; t < taps; t++) {
      const w = weights[t]!;
      const at = sourceStart + i + offsets[t]!;
      s0 += w * source[at]!;
      s1 += w * source[at + 1]!;
      s2 += w * source[at + 2]!;
      s3 += w * source[at + 3]!;
      s4 += w * source[at + 4]!;
      s5 += w * source[at + 5]!;
      s6 += w * source[at + 6]!;
      s7 += w * source[at + 7]!;
    }
    const to = targetStart + i;
    target[to] = s0;
    target[to + 1] = s1;
    target[to + 2] = s2;
    target[to + 3] = s3;
    target[to + 4] = s4;
    target[to + 5] = s5;
    target[to + 6] = s6;
    target[to + 7] = s7;
  }
  for (let i = blocked; i < length; i++) {
    let sum = 0;
    for (let t = 0; t < taps; t++) sum += weights[t]! * source[sourceStart + i + offsets[t]!]!;
    target[targetStart + i] = sum;
  }
}
