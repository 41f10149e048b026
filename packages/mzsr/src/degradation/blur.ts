import { createImage, type Image } from "../imaging/image.js";
import { mirrorIndex } from "../imaging/mirror.js";
import type { BlurKernel } from "./kernel.js";
import { RowCorrelator } from "./row-correlator.js";

/** Output rows computed in one go: few, so that the memory of the inner loop stays small whatever the image's size. */
const ROWS_AT_ONCE = 32;

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
  const length = result.width * channels;
  const stride = step * padded.rowLength;
  for (let y = 0; y < result.height; y += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, result.height - y);
    const source = padded.data.subarray(y * stride, (y + rows - 1) * stride + kernel.size * padded.rowLength);
    const block = correlator().correlate({ source, stride, weights: kernel.data, offsets, length, rows });
    result.data.set(block, y * length);
  }
  return result;
}

let made: RowCorrelator | undefined;

/** One for the thread: it holds nothing from one call to the next but compiled code and room. */
function correlator(): RowCorrelator {
  made ??= new RowCorrelator();
  return made;
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
