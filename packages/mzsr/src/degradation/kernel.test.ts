import { type GoldenArray, readGolden } from "@mzsr/testing/golden";
import { largestDifference } from "@mzsr/testing/golden-image";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { checkedKernel } from "./checked-kernel.js";
import { gaussianKernel } from "./kernel.js";

interface Case {
  readonly size: number;
  readonly lambda1: number;
  readonly lambda2: number;
  readonly theta: number;
  readonly kernel: GoldenArray;
}

const { cases } = readGolden<{ cases: Case[] }>("gaussian_kernels");

test.each(cases)("Gaussian of side $size, λ $lambda1 and $lambda2, θ $theta agrees to 1e-12", (golden) => {
  expect(largestDifference(gaussianKernel(golden).data, golden.kernel.data)).toBeLessThan(1e-12);
});

test("a Gaussian is finite, sums to 1, is symmetric about its centre and does not change with half a turn", () => {
  const lambda = fc.double({ min: 0.01, max: 100, noNaN: true });
  const theta = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
  fc.assert(
    fc.property(lambda, lambda, theta, (lambda1, lambda2, theta) => {
      const { data } = gaussianKernel({ lambda1, lambda2, theta });
      expect(Math.abs(data.reduce((sum, weight) => sum + weight, 0) - 1)).toBeLessThan(1e-12);
      expect(largestDifference(data.toReversed(), data)).toBeLessThan(1e-15);
      const turned = gaussianKernel({ lambda1, lambda2, theta: theta + Math.PI });
      expect(largestDifference(turned.data, data)).toBeLessThan(1e-12);
    }),
  );
});

test("θ turns the first axis from x towards y", () => {
  const { size, data } = gaussianKernel({ lambda1: 9, lambda2: 0.5, theta: 0 });
  const middle = (size - 1) / 2;
  expect(data[middle * size + middle + 3]).toBeGreaterThan(10 * data[(middle + 3) * size + middle]!);
  const diagonal = gaussianKernel({ lambda1: 9, lambda2: 0.5, theta: Math.PI / 4 }).data;
  expect(diagonal[(middle + 2) * size + middle + 2]).toBeGreaterThan(10 * diagonal[(middle + 2) * size + middle - 2]!);
});

test("Gaussians out of range are refused, naming the value and the range", () => {
  const shape = { lambda1: 1, lambda2: 1, theta: 0 };
  expect(() => gaussianKernel({ ...shape, lambda1: 0 })).toThrow(/variance 0 is out of range; expected .*0\.01/);
  expect(() => gaussianKernel({ ...shape, lambda2: Number.NaN })).toThrow(InputError);
  expect(() => gaussianKernel({ ...shape, theta: Infinity })).toThrow(InputError);
  expect(() => gaussianKernel({ ...shape, size: 14 })).toThrow(/14×14 is not odd/);
});

describe("a kernel from outside", () => {
  const filled = (count: number, value: number) => new Float64Array(count).fill(value);

  test("is normalised, and that is said", () => {
    const { kernel, notes } = checkedKernel(filled(9, 2), 3, 3, "k.npy");
    expect([...kernel.data]).toEqual([...filled(9, 1 / 9)]);
    expect(notes).toEqual(["kernel summed to 18; scaled to sum 1"]);
  });

  test("that sums to 1 but for float32 rounding is taken without a word", () => {
    const weights = Float32Array.from(gaussianKernel({ lambda1: 2, lambda2: 1, theta: 0.3 }).data);
    expect(checkedKernel(weights, 15, 15, "k.npy").notes).toEqual([]);
  });

  test("is copied", () => {
    const weights = filled(9, 1 / 9);
    const { kernel } = checkedKernel(weights, 3, 3, "k.npy");
    weights.fill(0);
    expect(kernel.data[4]).toBeCloseTo(1 / 9, 12);
  });

  test.each([
    ["is not square", filled(15, 1), 3, 5, /k\.npy: kernel of 3×5 is not square; expected a square/],
    ["has an even side", filled(16, 1), 4, 4, /kernel of 4×4 is not odd; expected an odd side up to 61/],
    ["has no side", filled(0, 1), 0, 0, /kernel of 0×0 is not odd/],
    ["is too large", filled(63 * 63, 1), 63, 63, /kernel of 63×63 is too large; expected an odd side up to 61/],
    ["holds NaN", Float64Array.of(1, 1, 1, 1, 1, Number.NaN, 1, 1, 1), 3, 3, /NaN at row 1, column 2/],
    ["holds Infinity", Float64Array.of(Infinity, 1, 1, 1, 1, 1, 1, 1, 1), 3, 3, /Infinity at row 0, column 0/],
    ["is all zeros", filled(9, 0), 3, 3, /sums to zero; expected weights with a positive sum/],
    ["cancels to zero", Float64Array.of(0, -0.1, 0, -0.1, 0.4, -0.1, 0, -0.1, 0), 3, 3, /sums to zero/],
    ["sums below zero", filled(9, -1), 3, 3, /sums to -9/],
    ["overflows", filled(9, 1e308), 3, 3, /sum overflows/],
  ])("that %s is refused", (_, weights, rows, columns, message) => {
    const check = () => checkedKernel(weights, rows, columns, "k.npy");
    expect(check).toThrow(InputError);
    expect(check).toThrow(message);
  });
});
