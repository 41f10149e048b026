/** Decoded photographs as they wait in memory for tasks that need a piece of them. */
import { createImage, type Image } from "@mzsr/mzsr";

/** An image whose 8-bit values, if that is what they are, take a byte each. */
export interface CompactImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Bytes stand for v / 255. */
  readonly data: Uint8Array | Float32Array;
}

/** The image in bytes where that keeps every value to the bit, else as it is. */
export function compactImage({ height, width, channels, data }: Image): CompactImage {
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    bytes[i] = Math.round(value * 255);
    if (Math.fround(bytes[i]! / 255) !== value) return { height, width, channels, data };
  }
  return { height, width, channels, data: bytes };
}

/** The square of `side` pixels at (y, x) as float values. @throws RangeError when it leaves the image */
export function cropCompact(image: CompactImage, y: number, x: number, side: number): Image {
  const { height, width, channels, data } = image;
  if (!(y >= 0 && x >= 0 && y + side <= height && x + side <= width)) {
    throw new RangeError(`patch of ${side}×${side} at (${y}, ${x}) leaves the image of ${height}×${width}`);
  }
  const crop = createImage(side, side, channels);
  const unit = data instanceof Uint8Array ? 255 : 1;
  const rowLength = side * channels;
  for (let row = 0; row < side; row++) {
    const start = ((y + row) * width + x) * channels;
    for (let i = 0; i < rowLength; i++) crop.data[row * rowLength + i] = data[start + i]! / unit;
  }
  return crop;
}
