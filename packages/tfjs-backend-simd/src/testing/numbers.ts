import { createHash } from "node:crypto";

/** Reproducible numbers in [-1, 1), the same in every test run (xorshift32). */
export function numbers(count: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return Float32Array.from({ length: count }, () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 31 - 1;
  });
}

/**
 * L2 distance, relative to `sizes`; absolute where these are all zero.
 * @param sizes what values of such sums usually are, where the expected ones may happen to cancel
 */
export function distance(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  sizes: ArrayLike<number> = expected,
): number {
  if (actual.length !== expected.length) throw new Error(`length ${actual.length}, expected ${expected.length}`);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += sizes[i]! ** 2;
  }
  return Math.sqrt(difference / (norm || 1));
}

/** SHA-256 of the bytes, shortened to 16 hexadecimal digits. */
export function fingerprint(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
