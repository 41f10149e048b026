import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketBounds, bucketExtremes, bucketMeans, bucketSize } from "./downsample.js";

describe("bucketSize", () => {
  it("is the smallest round size that keeps within the points", () => {
    expect(bucketSize(100, 600)).toBe(1);
    expect(bucketSize(601, 600)).toBe(2);
    expect(bucketSize(100_000, 600)).toBe(200);
    expect(bucketSize(5_000_000, 1000)).toBe(5000);
  });

  it("never gives more buckets than points", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 1, max: 5000 }), (steps, points) => {
        expect(Math.ceil(steps / bucketSize(steps, points))).toBeLessThanOrEqual(points);
      }),
    );
  });
});

describe("buckets", () => {
  const steps = [1, 2, 3, 4, 5, 6, 7];

  it("stand at multiples of their size and end where the group changes", () => {
    expect(bucketBounds(steps, [0, 0, 0, 0, 0, 0, 0], 0, 7, 5)).toEqual([0, 5, 7]);
    expect(bucketBounds(steps, [0, 0, 0, 1, 1, 1, 1], 0, 7, 5)).toEqual([0, 3, 5, 7]);
    expect(bucketBounds(steps, [0, 0, 0, 0, 0, 0, 0], 3, 7, 2)).toEqual([3, 4, 6, 7]);
    expect(bucketBounds(steps, [], 4, 4, 2)).toEqual([4]);
  });

  it("hold means and extremes of what is finite, and null where nothing is", () => {
    const values = [1, 3, Number.NaN, 5, Number.NaN, Number.NaN, 9];
    const bounds = [0, 4, 6, 7];
    expect(bucketMeans(values, bounds)).toEqual([3, null, 9]);
    expect(bucketExtremes(values, bounds)).toEqual({ least: [1, null, 9], greatest: [5, null, 9] });
  });

  it("keep the mean of the whole run and its extremes, whatever the size", () => {
    const series = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 50 }), (values, size) => {
        const rows = values.map((_, row) => row + 1);
        const bounds = bucketBounds(
          rows,
          rows.map(() => 0),
          0,
          values.length,
          size,
        );
        const means = bucketMeans(values, bounds);
        const sum = means.reduce<number>((all, mean, at) => all + mean! * (bounds[at + 1]! - bounds[at]!), 0);
        expect(sum / values.length).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 5);
        const { least, greatest } = bucketExtremes(values, bounds);
        expect(Math.max(...(greatest as number[]))).toBeCloseTo(Math.max(...values), 5);
        expect(Math.min(...(least as number[]))).toBeCloseTo(Math.min(...values), 5);
      }),
    );
  });
});
