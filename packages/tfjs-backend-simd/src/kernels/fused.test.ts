import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { axpy, l1Grad, l1Loss, reluGrad, simdMemory } from "../index.js";
import { distance, numbers } from "../testing/numbers.js";

beforeAll(async () => {
  await tf.setBackend("simd");
});

afterEach(() => {
  expect(simdMemory().allocations).toBe(0);
});

const sizes = fc.integer({ min: 1, max: 300 });

function compute(f: () => tf.Tensor): Float32Array {
  const result = tf.tidy(f);
  const values = result.dataSync() as Float32Array;
  result.dispose();
  return values;
}

describe("fused elementwise kernels", () => {
  it("keep a gradient where the ReLU's output is positive", () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const [dy, x] = [numbers(size, 1), numbers(size, 2)];
        const actual = compute(() => reluGrad(tf.tensor1d(dy), tf.relu(tf.tensor1d(x))));
        expect([...actual]).toEqual([...dy].map((value, i) => (x[i]! > 0 ? value : 0)));
      }),
      { numRuns: 20 },
    );
  });

  it("add a multiple", () => {
    fc.assert(
      fc.property(sizes, fc.double({ min: -3, max: 3, noNaN: true }), (size, a) => {
        const [x, y] = [numbers(size, 1), numbers(size, 2)];
        const actual = compute(() => axpy(a, tf.tensor1d(x), tf.tensor1d(y)));
        const factor = Math.fround(a);
        expect([...actual]).toEqual([...y].map((value, i) => Math.fround(value + Math.fround(factor * x[i]!))));
      }),
      { numRuns: 20 },
    );
  });

  it("give the mean absolute difference, summed in float64", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), (size) => {
        const [prediction, target] = [numbers(size, 1), numbers(size, 2)];
        const expected = prediction.reduce((sum, p, i) => sum + Math.abs(Math.fround(p - target[i]!)), 0) / size;
        const actual = compute(() => l1Loss(tf.tensor1d(prediction), tf.tensor1d(target)));
        expect(distance(actual, [expected])).toBeLessThan(1e-7);
      }),
      { numRuns: 20 },
    );
  });

  it("give that loss's gradient: a scaled sign, 0 where nothing differs, NaN where nothing is known", () => {
    const prediction = tf.tensor1d([1, 2, 3, -1, Number.NaN, 5]);
    const target = tf.tensor1d([2, 2, 1, -1, 0, Number.POSITIVE_INFINITY]);
    const gradient = l1Grad(prediction, target, 0.25);
    expect([...gradient.dataSync()]).toEqual([-0.25, 0, 0.25, 0, Number.NaN, -0.25]);
    tf.dispose([prediction, target, gradient]);
  });

  it("refuse shapes that differ", () => {
    const [a, b] = [tf.zeros([3]), tf.zeros([4])];
    expect(() => axpy(1, a, b)).toThrow("Axpy: y is [4], expected [3]");
    expect(() => reluGrad(a, b)).toThrow("ReluGrad: y is [4], expected [3]");
    expect(() => l1Loss(a, b)).toThrow("L1Loss: target is [4], expected [3]");
    tf.dispose([a, b]);
  });
});
