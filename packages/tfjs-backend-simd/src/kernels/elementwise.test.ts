import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { simdMemory } from "../index.js";
import { numbers } from "../testing/numbers.js";

beforeAll(async () => {
  await tf.setBackend("simd");
});

afterEach(() => {
  expect(simdMemory().allocations).toBe(0);
});

type Values = Float32Array | Int32Array | Uint8Array;

async function on(
  backend: string,
  f: () => tf.Tensor | tf.Tensor[],
): Promise<{ shape: number[]; dtype: string; values: Values }[]> {
  await tf.setBackend(backend);
  const results = tf.tidy(f);
  const list = Array.isArray(results) ? results : [results];
  const read = list.map((result) => ({
    shape: result.shape,
    dtype: result.dtype,
    values: result.dataSync() as Values,
  }));
  tf.dispose(list);
  await tf.setBackend("simd");
  return read;
}

/** The library's plain JavaScript backend is the reference; float32 results may differ in the last places. */
async function expectLikeCpu(f: () => tf.Tensor | tf.Tensor[]): Promise<void> {
  const [actual, expected] = [await on("simd", f), await on("cpu", f)];
  const kinds = (list: typeof actual) => list.map(({ shape, dtype }) => ({ shape, dtype }));
  expect(kinds(actual)).toEqual(kinds(expected));
  for (const [i, { values }] of actual.entries()) {
    const wanted = expected[i]!.values;
    expect(values.length).toBe(wanted.length);
    for (let j = 0; j < values.length; j++) {
      const [a, b] = [values[j]!, wanted[j]!];
      if (!Object.is(a, b) && !(Math.abs(a - b) <= 2e-6 * Math.max(1, Math.abs(b)))) {
        throw new Error(`output ${i}, element ${j}: ${a}, expected ${b}`);
      }
    }
  }
}

function random(shape: number[], seed = 1, scale = 2): tf.Tensor {
  const values = numbers(tf.util.sizeFromShape(shape), seed).map((value) => value * scale);
  return tf.tensor(values, shape);
}

function randomIntegers(shape: number[], seed = 1): tf.Tensor {
  const values = numbers(tf.util.sizeFromShape(shape), seed);
  return tf.tensor(
    Int32Array.from(values, (value) => Math.round(value * 5)),
    shape,
    "int32",
  );
}

const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 5 });

/** Two shapes that broadcast: each axis as it is, or 1; leading axes may be missing. */
const broadcastable = fc
  .tuple(shapes, fc.array(fc.constantFrom("both", "left", "right"), { minLength: 5, maxLength: 5 }), fc.nat(5))
  .map(([shape, sides, missing]) => {
    const left = shape.map((size, i) => (sides[i] === "right" ? 1 : size));
    const right = shape.map((size, i) => (sides[i] === "left" ? 1 : size)).slice(Math.min(missing, shape.length));
    return [left, right] as const;
  });

const binary = { add: tf.add, sub: tf.sub, mul: tf.mul, maximum: tf.maximum, minimum: tf.minimum };
const compare = { greater: tf.greater, greaterEqual: tf.greaterEqual, less: tf.less, equal: tf.equal };

describe("operations on two tensors", () => {
  it.each(Object.entries({ ...binary, ...compare, div: tf.div }))("%s broadcasts", async (_, operation) => {
    await fc.assert(
      fc.asyncProperty(broadcastable, ([left, right]) =>
        expectLikeCpu(() => operation(random(left, 1), random(right, 2))),
      ),
      { numRuns: 25 },
    );
  });

  it.each(Object.entries({ ...binary, ...compare }))("%s takes integers", async (_, operation) => {
    await expectLikeCpu(() => operation(randomIntegers([3, 7], 1), randomIntegers([7], 2)));
  });

  it.each([
    ["a trailing vector", [40, 5], [5]],
    ["a scalar", [6, 11], []],
    ["a column", [7, 9], [7, 1]],
    ["a middle axis", [2, 3, 4, 5], [2, 1, 4, 1]],
  ])("repeat %s on either side", async (_, left, right) => {
    await expectLikeCpu(() => tf.sub(random(left, 1), random(right, 2)));
    await expectLikeCpu(() => tf.sub(random(right, 1), random(left, 2)));
  });

  it("combine and compare booleans", async () => {
    const booleans = (seed: number) => tf.greater(random([5, 7], seed), 0);
    await expectLikeCpu(() => tf.logicalAnd(booleans(1), booleans(2)));
    await expectLikeCpu(() => tf.equal(booleans(1), booleans(2)));
  });

  it("choose by a condition", async () => {
    await expectLikeCpu(() => tf.where(tf.greater(random([5, 7], 1), 0), random([5, 7], 2), random([5, 7], 3)));
  });

  it("add many tensors", async () => {
    await expectLikeCpu(() => tf.addN([1, 2, 3].map((seed) => random([3, 5], seed))));
  });

  it("treat NaN as the library does", async () => {
    const special = () => tf.tensor1d([Number.NaN, 1, -0, 0, Infinity, -Infinity, Number.NaN]);
    const other = () => tf.tensor1d([0, Number.NaN, 0, -1, 1, 1, Number.NaN]);
    for (const operation of [tf.add, tf.maximum, tf.minimum, tf.greater, tf.equal]) {
      await expectLikeCpu(() => operation(special(), other()));
    }
  });
});

describe("operations on one tensor", () => {
  it.each(
    Object.entries({
      neg: tf.neg,
      abs: tf.abs,
      sign: tf.sign,
      square: tf.square,
      sqrt: (x: tf.Tensor) => tf.sqrt(tf.abs(x)),
      exp: tf.exp,
      log: (x: tf.Tensor) => tf.log(tf.abs(x)),
      relu: tf.relu,
      step: (x: tf.Tensor) => tf.step(x, 0.25),
      clip: (x: tf.Tensor) => tf.clipByValue(x, -0.5, 0.75),
      clone: tf.clone,
      zerosLike: tf.zerosLike,
      onesLike: tf.onesLike,
    }),
  )("%s", async (_, operation) => {
    await expectLikeCpu(() => operation(random([3, 7])));
    await expectLikeCpu(() => operation(tf.tensor1d([0, 1, -1, 1e-30, 1e30])));
  });

  it.each(["float32", "int32", "bool"] as const)("cast to %s", async (dtype) => {
    await expectLikeCpu(() => tf.cast(random([3, 7], 1, 3), dtype));
    await expectLikeCpu(() => tf.cast(randomIntegers([3, 7]), dtype));
    await expectLikeCpu(() => tf.cast(tf.greater(random([3, 7]), 0), dtype));
  });

  it("share their data when only the shape changes", () => {
    const x = random([4, 6]);
    const before = simdMemory().usedBytes;
    const y = tf.reshape(x, [2, -1]);
    expect(y.shape).toEqual([2, 12]);
    expect(simdMemory().usedBytes).toBe(before);
    x.dispose();
    expect(y.dataSync()).toEqual(numbers(24, 1).map((value) => value * 2));
    y.dispose();
  });
});

describe("reductions", () => {
  it.each(Object.entries({ sum: tf.sum, mean: tf.mean, max: tf.max, min: tf.min }))(
    "%s over any axes",
    async (_, f) => {
      const cases = fc.tuple(shapes, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), fc.boolean());
      await fc.assert(
        fc.asyncProperty(cases, ([shape, chosen, keep]) => {
          const axes = shape.map((_, i) => i).filter((i) => chosen[i]);
          return expectLikeCpu(() => f(random(shape), axes, keep));
        }),
        { numRuns: 40 },
      );
    },
  );

  it("sum integers and count booleans", async () => {
    await expectLikeCpu(() => tf.sum(randomIntegers([4, 5, 3]), [0, 2]));
    await expectLikeCpu(() => tf.sum(tf.greater(random([4, 5]), 0)));
  });

  it("keep a bias gradient of many pixels as accurate as float32 can hold", () => {
    const [pixels, channels] = [40_000, 37];
    const values = numbers(pixels * channels, 3).map((value) => value + 0.5);
    const expected = new Float64Array(channels);
    for (const [i, value] of values.entries()) expected[i % channels]! += value;
    const actual = tf.tidy(() => tf.sum(tf.tensor(values, [4, 100, 100, channels]), [0, 1, 2]).dataSync());
    for (const [i, value] of actual.entries()) expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(1e-7);
  });
});

describe("operations that move elements", () => {
  it("transpose any axes", async () => {
    const permutations = shapes.chain((shape) =>
      fc
        .shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        )
        .map((permutation) => ({ shape, permutation })),
    );
    await fc.assert(
      fc.asyncProperty(permutations, ({ shape, permutation }) =>
        expectLikeCpu(() => tf.transpose(random(shape), permutation)),
      ),
      { numRuns: 40 },
    );
  });

  it("concatenate, stack and unstack along any axis", async () => {
    for (const axis of [0, 1, 2]) {
      const shape = (size: number) => [2, 3, 5].map((s, i) => (i === axis ? size : s));
      await expectLikeCpu(() => tf.concat([random(shape(2), 1), random(shape(4), 2)], axis));
      await expectLikeCpu(() => tf.stack([random([2, 3, 5], 1), random([2, 3, 5], 2)], axis));
      await expectLikeCpu(() => tf.unstack(random([2, 3, 5]), axis));
    }
  });

  it("slice, pad, mirror, tile and broadcast", async () => {
    await expectLikeCpu(() => tf.slice(random([5, 6, 7]), [1, 2, 3], [2, -1, 4]));
    await expectLikeCpu(() =>
      tf.pad(
        random([2, 3, 4]),
        [
          [1, 0],
          [0, 2],
          [3, 1],
        ],
        0.5,
      ),
    );
    for (const mode of ["reflect", "symmetric"] as const) {
      const paddings: [number, number][] = [
        [0, 0],
        [2, 1],
        [3, 3],
        [0, 0],
      ];
      await expectLikeCpu(() => tf.mirrorPad(random([2, 4, 5, 3]), paddings, mode));
    }
    await expectLikeCpu(() => tf.tile(random([2, 1, 3]), [2, 3, 2]));
    await expectLikeCpu(() => tf.broadcastTo(random([2, 1, 3]), [4, 2, 5, 3]));
    await expectLikeCpu(() => tf.slice(tf.greater(random([5, 6]), 0), [1, 1], [3, 4]));
  });

  it("fill with a constant of any type", async () => {
    await expectLikeCpu(() => tf.fill([3, 5], 1.5));
    await expectLikeCpu(() => tf.fill([3, 5], 3, "int32"));
    await expectLikeCpu(() => tf.ones([2, 3], "bool"));
  });
});

describe("what is missing", () => {
  it("names the operation and the backend", () => {
    const x = random([3]);
    expect(() => tf.cosh(x)).toThrow("Kernel 'Cosh' not registered for backend 'simd'");
    x.dispose();
  });

  it("names the operation and the element type", () => {
    const x = randomIntegers([3]);
    expect(() => tf.square(x)).toThrow("simd backend: Square of int32 is not supported; expected float32");
    x.dispose();
  });
});
