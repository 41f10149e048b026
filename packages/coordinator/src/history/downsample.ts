/**
 * Downsampling a run's history for drawing: neighbouring steps share a bucket, a bucket has a mean and its extremes.
 *
 * Means rather than picked points (LTTB), because the page smooths what it gets: a moving average over picked extremes
 * is not the average of the run. The extremes are kept beside the means, so that a spike of one step in 100,000 is
 * still drawn.
 */

/** The smallest of 1, 2, 5, 10, 20, 50, … that splits `steps` into at most `points` buckets; round sizes keep a growing
 *  run's buckets where they are most of the time. */
export function bucketSize(steps: number, points: number): number {
  const least = steps / Math.max(1, points);
  const decade = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, least))));
  return [1, 2, 5, 10].map((factor) => factor * decade).find((size) => size >= least) ?? 10 * decade;
}

/**
 * Rows [from, to) in buckets of `size` steps: the row at which each bucket starts, then `to`. Buckets stand at whole
 * multiples of `size` and end where `groups` changes.
 *
 * @param steps ascending step numbers from 1
 * @param groups what must not be mixed, one value per row
 */
export function bucketBounds(
  steps: ArrayLike<number>,
  groups: ArrayLike<number>,
  from: number,
  to: number,
  size: number,
): number[] {
  const bounds: number[] = [];
  let bucket = Number.NaN;
  for (let row = from; row < to; row++) {
    const here = Math.floor((steps[row]! - 1) / size);
    if (here !== bucket || groups[row] !== groups[row - 1]) bounds.push(row);
    bucket = here;
  }
  bounds.push(to);
  return bounds;
}

/** Mean of the finite values in each bucket; null where there are none. */
export function bucketMeans(values: ArrayLike<number>, bounds: readonly number[]): (number | null)[] {
  return eachBucket(bounds, (start, end) => {
    let sum = 0;
    let count = 0;
    for (let row = start; row < end; row++) {
      if (!Number.isFinite(values[row])) continue;
      sum += values[row]!;
      count++;
    }
    return count === 0 ? null : rounded(sum / count);
  });
}

/** Least and greatest of the finite values in each bucket; null where there are none. */
export function bucketExtremes(
  values: ArrayLike<number>,
  bounds: readonly number[],
): { least: (number | null)[]; greatest: (number | null)[] } {
  const extreme = (better: (a: number, b: number) => number, worst: number) =>
    eachBucket(bounds, (start, end) => {
      let best = worst;
      for (let row = start; row < end; row++) if (Number.isFinite(values[row])) best = better(best, values[row]!);
      return best === worst ? null : rounded(best);
    });
  return { least: extreme(Math.min, Infinity), greatest: extreme(Math.max, -Infinity) };
}

function eachBucket<T>(bounds: readonly number[], of: (start: number, end: number) => T): T[] {
  return bounds.slice(0, -1).map((start, bucket) => of(start, bounds[bucket + 1]!));
}

/** Seven significant digits, all that a float32 loss has: a third of the bytes on the wire. */
function rounded(value: number): number {
  return Number(value.toPrecision(7));
}
