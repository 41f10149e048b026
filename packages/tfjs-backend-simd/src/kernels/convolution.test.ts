import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { dualConv2D, dualConv2DBackpropFilter, reluGradConv2DBackpropInput, simdMemory } from "../index.js";
import { distance, numbers } from "../testing/numbers.js";
import {
  convolution,
  filterGradient,
  type Geometry,
  inputGradient,
  outputSize,
  same3x3,
  sum,
} from "../testing/reference.js";

/** Relative L2 distance from float64 that every convolution keeps. */
const TOLERANCE = 5e-6;

beforeAll(async () => {
  await tf.setBackend("simd");
});

afterEach(() => {
  expect(simdMemory().allocations).toBe(0);
});

const sizes = fc.integer({ min: 1, max: 14 });
const channels = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(12, 16, 18, 32, 33));
const winograd = fc
  .tuple(fc.integer({ min: 1, max: 3 }), sizes, sizes, channels, channels)
  .map(([n, h, w, cIn, cOut]) => same3x3(n, h, w, cIn, cOut));
const general: fc.Arbitrary<Geometry> = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    h: fc.integer({ min: 1, max: 12 }),
    w: fc.integer({ min: 1, max: 12 }),
    cIn: fc.integer({ min: 1, max: 9 }),
    cOut: fc.integer({ min: 1, max: 9 }),
    kh: fc.integer({ min: 1, max: 5 }),
    kw: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.constant(1),
    pad: fc.constantFrom("same" as const, "valid" as const),
  })
  .filter((g) => g.pad === "same" || (g.h >= g.kh && g.w >= g.kw));

function operands(g: Geometry, seed: number) {
  const out = outputSize(g);
  return {
    x: numbers(g.n * g.h * g.w * g.cIn, seed),
    filter: numbers(g.kh * g.kw * g.cIn * g.cOut, seed + 1),
    dy: numbers(g.n * out.h * out.w * g.cOut, seed + 2),
    xShape: [g.n, g.h, g.w, g.cIn] as [number, number, number, number],
    filterShape: [g.kh, g.kw, g.cIn, g.cOut] as [number, number, number, number],
    dyShape: [g.n, out.h, out.w, g.cOut] as [number, number, number, number],
  };
}

function compute(f: () => tf.Tensor): Float32Array {
  const result = tf.tidy(f);
  const values = result.dataSync() as Float32Array;
  result.dispose();
  return values;
}

/** What sums of products of random signs usually are: roots of the sums of squares. A single small sum may cancel to nothing. */
function usualSizes(sum: typeof convolution, g: Geometry, a: Float32Array, b: Float32Array): Float64Array {
  const squares = (values: Float32Array) => values.map((value) => value * value);
  return sum(g, squares(a), squares(b)).map(Math.sqrt);
}

describe.each([
  ["3x3 same", winograd],
  ["any geometry", general],
])("convolution, %s", (_, geometries) => {
  it("equals float64 loops", () => {
    fc.assert(
      fc.property(geometries, (g) => {
        const { x, filter, xShape, filterShape } = operands(g, 1);
        const actual = compute(() =>
          tf.conv2d(tf.tensor4d(x, xShape), tf.tensor4d(filter, filterShape), g.stride, g.pad),
        );
        expect(distance(actual, convolution(g, x, filter), usualSizes(convolution, g, x, filter))).toBeLessThan(
          TOLERANCE,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("has the input gradient of float64 loops", () => {
    fc.assert(
      fc.property(geometries, (g) => {
        const { dy, filter, xShape, filterShape, dyShape } = operands(g, 2);
        const attributes = { strides: g.stride, pad: g.pad, dataFormat: "NHWC", inputShape: xShape };
        const actual = compute(() => {
          const inputs = { dy: tf.tensor4d(dy, dyShape), filter: tf.tensor4d(filter, filterShape) };
          return tf.engine().runKernel("Conv2DBackpropInput", inputs, attributes) as tf.Tensor;
        });
        expect(distance(actual, inputGradient(g, dy, filter), usualSizes(inputGradient, g, dy, filter))).toBeLessThan(
          TOLERANCE,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("has the filter gradient of float64 loops", () => {
    fc.assert(
      fc.property(geometries, (g) => {
        const { x, dy, xShape, filterShape, dyShape } = operands(g, 3);
        const attributes = { strides: g.stride, pad: g.pad, dataFormat: "NHWC", filterShape };
        const actual = compute(() => {
          const inputs = { x: tf.tensor4d(x, xShape), dy: tf.tensor4d(dy, dyShape) };
          return tf.engine().runKernel("Conv2DBackpropFilter", inputs, attributes) as tf.Tensor;
        });
        expect(distance(actual, filterGradient(g, x, dy), usualSizes(filterGradient, g, x, dy))).toBeLessThan(
          TOLERANCE,
        );
      }),
      { numRuns: 60 },
    );
  });
});

/** Of its four sums one is positive, and small. */
const CANCELLING: Geometry = { ...same3x3(1, 7, 4, 9, 1), kh: 4, kw: 4, pad: "valid" };

describe("convolution", () => {
  it("dilates its filter", () => {
    const g: Geometry = { ...same3x3(2, 9, 7, 3, 5), dilation: 2 };
    const { x, filter, xShape, filterShape } = operands(g, 4);
    const actual = compute(() =>
      tf.conv2d(tf.tensor4d(x, xShape), tf.tensor4d(filter, filterShape), 1, "same", "NHWC", 2),
    );
    expect(distance(actual, convolution(g, x, filter))).toBeLessThan(TOLERANCE);
  });

  it.each(["relu", "linear"] as const)("adds the bias and applies %s in one kernel", (activation) => {
    fc.assert(
      fc.property(fc.oneof(winograd, general), (g) => {
        const { x, filter, xShape, filterShape } = operands(g, 5);
        const bias = numbers(g.cOut, 6);
        const actual = compute(() =>
          tf.fused.conv2d({
            x: tf.tensor4d(x, xShape),
            filter: tf.tensor4d(filter, filterShape),
            bias: tf.tensor1d(bias),
            strides: g.stride,
            pad: g.pad,
            activation,
          }),
        );
        const expected = convolution(g, x, filter).map((value, i) => {
          const biased = value + bias[i % g.cOut]!;
          return activation === "relu" ? Math.max(biased, 0) : biased;
        });
        expect(distance(actual, expected, usualSizes(convolution, g, x, filter))).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 30, examples: [[CANCELLING]] },
    );
  });

  it("keeps its accuracy over 64 channels and thousands of pixels", () => {
    const g = same3x3(2, 40, 36, 64, 64);
    const { x, filter, dy, xShape, filterShape, dyShape } = operands(g, 7);
    const forward = compute(() => tf.conv2d(tf.tensor4d(x, xShape), tf.tensor4d(filter, filterShape), 1, "same"));
    expect(distance(forward, convolution(g, x, filter))).toBeLessThan(TOLERANCE);
    const attributes = { strides: 1, pad: "same", dataFormat: "NHWC", filterShape };
    const gradient = compute(() => {
      const inputs = { x: tf.tensor4d(x, xShape), dy: tf.tensor4d(dy, dyShape) };
      return tf.engine().runKernel("Conv2DBackpropFilter", inputs, attributes) as tf.Tensor;
    });
    expect(distance(gradient, filterGradient(g, x, dy))).toBeLessThan(TOLERANCE);
  });

  it("gives each image of a batch the bits that it gets alone", () => {
    const g = same3x3(3, 10, 11, 5, 8);
    const { x, filter, xShape, filterShape } = operands(g, 8);
    const [batch, alone] = tf.tidy(() => {
      const images = tf.tensor4d(x, xShape);
      const weights = tf.tensor4d(filter, filterShape);
      const whole = tf.conv2d(images, weights, 1, "same");
      const single = tf.conv2d(tf.slice(images, [1, 0, 0, 0], [1, -1, -1, -1]), weights, 1, "same");
      return [tf.slice(whole, [1, 0, 0, 0], [1, -1, -1, -1]).dataSync(), single.dataSync()];
    });
    expect(alone).toEqual(batch);
  });

  it("refuses what it cannot compute, and says what would do", () => {
    const x = tf.zeros([1, 4, 4, 2]) as tf.Tensor4D;
    const filter = tf.zeros([3, 3, 2, 2]) as tf.Tensor4D;
    const conv = { x, filter, strides: 1, pad: "same" as const };
    expect(() => tf.fused.conv2d({ ...conv, activation: "elu" })).toThrow(/activation elu .* use linear or relu/);
    const inputs = { dy: x, filter };
    const attributes = { strides: 1, pad: "same", dataFormat: "NHWC", inputShape: [1, 5, 4, 2] };
    expect(() => tf.engine().runKernel("Conv2DBackpropInput", inputs, attributes)).toThrow(
      /dy is \[1,4,4,2\], expected \[1,5,4,2\]/,
    );
    tf.dispose([x, filter]);
  });
});

describe("sums of two convolutions", () => {
  const pairs = fc.tuple(winograd, channels).map(([g, channels]) => ({ first: g, second: { ...g, cIn: channels } }));

  it("equal the sum of both with bias, where the mask is positive", () => {
    fc.assert(
      fc.property(pairs, ({ first, second }) => {
        const [a, b] = [operands(first, 10), operands(second, 20)];
        const bias = numbers(first.cOut, 30);
        const mask = numbers(a.dy.length, 31);
        const actual = compute(() =>
          dualConv2D({
            x: tf.tensor4d(a.x, a.xShape),
            filter: tf.tensor4d(a.filter, a.filterShape),
            x2: tf.tensor4d(b.x, b.xShape),
            filter2: tf.tensor4d(b.filter, b.filterShape),
            bias: tf.tensor1d(bias),
            y: tf.tensor4d(mask, a.dyShape),
          }),
        );
        const both = sum(convolution(first, a.x, a.filter), convolution(second, b.x, b.filter));
        const expected = both.map((value, i) => (mask[i]! > 0 ? value + bias[i % first.cOut]! : 0));
        expect(distance(actual, expected)).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 40 },
    );
  });

  it("hold for masked input gradients of one or two", () => {
    fc.assert(
      fc.property(winograd, channels, fc.boolean(), (first, channels, two) => {
        const second = { ...first, cOut: channels };
        const [a, b] = [operands(first, 40), operands(second, 50)];
        const mask = numbers(a.x.length, 60);
        const actual = compute(() =>
          reluGradConv2DBackpropInput({
            dy: tf.tensor4d(a.dy, a.dyShape),
            filter: tf.tensor4d(a.filter, a.filterShape),
            y: tf.tensor4d(mask, a.xShape),
            ...(two ? { dy2: tf.tensor4d(b.dy, b.dyShape), filter2: tf.tensor4d(b.filter, b.filterShape) } : {}),
          }),
        );
        const one = inputGradient(first, a.dy, a.filter);
        const both = two ? sum(one, inputGradient(second, b.dy, b.filter)) : one;
        const expected = both.map((value, i) => (mask[i]! > 0 ? value : 0));
        expect(distance(actual, expected)).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 40 },
    );
  });

  it("hold for filter gradients", () => {
    fc.assert(
      fc.property(winograd, (g) => {
        const [a, b] = [operands(g, 70), operands(g, 80)];
        const actual = compute(() =>
          dualConv2DBackpropFilter({
            x: tf.tensor4d(a.x, a.xShape),
            dy: tf.tensor4d(a.dy, a.dyShape),
            x2: tf.tensor4d(b.x, b.xShape),
            dy2: tf.tensor4d(b.dy, b.dyShape),
          }),
        );
        const expected = sum(filterGradient(g, a.x, a.dy), filterGradient(g, b.x, b.dy));
        expect(distance(actual, expected)).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 40 },
    );
  });
});
