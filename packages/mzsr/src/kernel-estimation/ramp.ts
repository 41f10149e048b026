/** 0 at `from` and before, 1 at `to` and beyond, in between along a line; `from` may be the larger one. */
export function ramp(value: number, from: number, to: number): number {
  return Math.min(Math.max((value - from) / (to - from), 0), 1);
}
