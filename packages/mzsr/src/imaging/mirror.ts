/** The position in 0 … length − 1 that a position beyond the edge shows: symmetric, half-sample (−1 shows 0). */
export function mirrorIndex(position: number, length: number): number {
  const period = 2 * length;
  const wrapped = ((position % period) + period) % period;
  return wrapped < length ? wrapped : period - 1 - wrapped;
}
