/** Decoded photographs in memory that all compute threads of the process see. */
import { createImage, type Image } from "@mzsr/shared";

/** An image in shared memory; 8-bit photographs take a byte per value. */
export interface SharedImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Bytes stand for v / 255. */
  readonly data: Uint8Array | Float32Array;
}

/** Copies an image into shared memory, as bytes when that keeps every value to the bit. */
export function shareImage({ height, width, channels, data }: Image): SharedImage {
  const bytes = new Uint8Array(new SharedArrayBuffer(data.length));
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    bytes[i] = Math.round(value * 255);
    if (Math.fround(bytes[i]! / 255) !== value) return { height, width, channels, data: shareFloats(data) };
  }
  return { height, width, channels, data: bytes };
}

/** The square of `side` pixels at (y, x) as float values. @throws RangeError when it leaves the image */
export function cropShared(image: SharedImage, y: number, x: number, side: number): Image {
  const { height, width, channels, data } = image;
  if (!(y >= 0 && x >= 0 && y + side <= height && x + side <= width)) {
    throw new RangeError(`patch of ${side}×${side} at (${y}, ${x}) leaves the image of ${height}×${width}`);
  }
  const crop = createImage(side, side, channels);
  const rowLength = side * channels;
  for (let row = 0; row < side; row++) {
    const start = ((y + row) * width + x) * channels;
    for (let i = 0; i < rowLength; i++) {
      const value = data[start + i]!;
      crop.data[row * rowLength + i] = data instanceof Uint8Array ? value / 255 : value;
    }
  }
  return crop;
}

/** Bytes of memory that the image takes. */
export function sharedBytes(image: SharedImage): number {
  return image.data.byteLength;
}

/** A copy of `values` in memory that threads share. */
export function shareFloats(values: Float32Array): Float32Array {
  const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}
