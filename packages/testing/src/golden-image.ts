import type { GoldenArray } from "./golden.js";

/** A golden [height, width, channels] array as an image; `white` is the level that stands for 1. */
export function goldenImage(array: GoldenArray, white = 1) {
  const [height, width, channels] = array.shape as [number, number, number];
  return { height, width, channels, data: Float32Array.from(array.data, (value) => value / white) };
}

/** max |actual − expected|; infinite when the lengths differ. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // A NaN must not hide behind a comparison that it always loses.
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}
