import { readFileSync } from "node:fs";

/** An array as the golden files hold it. */
export interface GoldenArray {
  readonly shape: number[];
  readonly data: number[];
}

/** Results of an independent float64 implementation; each file's `note` says of what. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../test/golden/${name}.json`, import.meta.url), "utf8")) as T;
}

/** ‖actual − expected‖₂ / ‖expected‖₂; the norm of `actual` where nothing is expected. */
export function relativeL2(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / (norm === 0 ? 1 : norm));
}
