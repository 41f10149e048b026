import type { Image } from "../imaging/image.js";

/** One channel: rows of pixels. */
export interface Plane {
  readonly height: number;
  readonly width: number;
  /** height · width values, row by row. */
  readonly data: Float32Array;
}

/** Luma of ITU-R BT.601 without its offset: from 0 for black to 1 for white. An image of one channel is luma itself. */
export function lumaOf({ height, width, channels, data }: Image): Plane {
  if (channels === 1) return { height, width, data };
  if (channels !== 3) throw new RangeError(`no luma of ${channels} channels`);
  const luma = new Float32Array(height * width);
  for (let i = 0; i < luma.length; i++) {
    luma[i] = (65.481 * data[i * 3]! + 128.553 * data[i * 3 + 1]! + 24.966 * data[i * 3 + 2]!) / 219;
  }
  return { height, width, data: luma };
}
