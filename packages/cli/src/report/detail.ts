/** Which part of a picture to show enlarged, and enlarging it without interpolation. */
import { createImage, cropImage, type Image } from "@mzsr/mzsr";

export interface Window {
  readonly y: number;
  readonly x: number;
  readonly height: number;
  readonly width: number;
}

/**
 * The square in which `estimate` differs most from `reference` (mean square over channels): where a better method has
 * the most to win. Corners lie on multiples of `align` and a margin stays free of the borders, whose pixels scores leave out.
 */
export function hardestWindow(reference: Image, estimate: Image, side: number, align: number): Window {
  const { height, width } = reference;
  const sums = summedSquares(reference, estimate);
  const row = width + 1;
  const margin = Math.min(align * 4, Math.floor((Math.min(height, width) - side) / 2));
  let best = { y: 0, x: 0, sum: -1 };
  for (let y = align * Math.ceil(margin / align); y + side + margin <= height; y += align) {
    for (let x = align * Math.ceil(margin / align); x + side + margin <= width; x += align) {
      const sum =
        sums[(y + side) * row + x + side]! -
        sums[y * row + x + side]! -
        sums[(y + side) * row + x]! +
        sums[y * row + x]!;
      if (sum > best.sum) best = { y, x, sum };
    }
  }
  return { y: best.y, x: best.x, height: side, width: side };
}

/** A window of the wanted size around the middle of another, moved to lie inside the image. */
export function windowAround(inner: Window, height: number, width: number, image: Image): Window {
  const place = (from: number, length: number, wanted: number, limit: number) =>
    Math.max(0, Math.min(Math.round(from + length / 2 - wanted / 2), limit - wanted));
  const size = { height: Math.min(height, image.height), width: Math.min(width, image.width) };
  return {
    y: place(inner.y, inner.height, size.height, image.height),
    x: place(inner.x, inner.width, size.width, image.width),
    ...size,
  };
}

export function cropWindow(image: Image, { y, x, height, width }: Window): Image {
  return cropImage(image, y, x, height, width);
}

/** Every pixel as a square of `factor` × `factor` pixels. */
export function magnify(image: Image, factor: number): Image {
  const { height, width, channels } = image;
  const result = createImage(height * factor, width * factor, channels);
  let target = 0;
  for (let y = 0; y < result.height; y++) {
    const sourceRow = Math.floor(y / factor) * width;
    for (let x = 0; x < result.width; x++) {
      const source = (sourceRow + Math.floor(x / factor)) * channels;
      for (let c = 0; c < channels; c++) result.data[target++] = image.data[source + c]!;
    }
  }
  return result;
}

/** Integral image of the squared differences, [height + 1, width + 1]. */
function summedSquares(a: Image, b: Image): Float64Array {
  const { height, width, channels } = a;
  const sums = new Float64Array((height + 1) * (width + 1));
  for (let y = 0; y < height; y++) {
    let rowSum = 0;
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) rowSum += (a.data[at + c]! - b.data[at + c]!) ** 2;
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1]! + rowSum;
    }
  }
  return sums;
}
