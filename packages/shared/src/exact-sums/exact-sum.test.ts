import { exactParts, ratio, roundedToDouble, sumsInIntegers, unitsOf } from "@mzsr/testing/exact-sums";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floatsToBytes } from "../protocol/float-bytes.js";
import { type ExactSum, ExactSums, LARGEST_COUNT, LARGEST_ELEMENT, type SumBytes } from "./exact-sum.js";

/** Smallest positive float32. */
const TINY = 2 ** -149;

/** Zeros, subnormals, bounds, and where hi and lo change or tie. */
const SPECIAL = [
  0,
  -0,
  TINY,
  -TINY,
  2 ** -126,
  2 ** -126 - TINY,
  LARGEST_ELEMENT,
  -LARGEST_ELEMENT,
  LARGEST_ELEMENT - 2 ** -4,
  8,
  8 - 2 ** -21,
  // Half a step of hi, and beside it
  2 ** -21,
  -(2 ** -21),
  3 * 2 ** -21,
  2 ** -21 + 2 ** -44,
  2 ** -21 - 2 ** -45,
  // Half a step of lo, and beside it
  2 ** -61,
  3 * 2 ** -61,
  -3 * 2 ** -61,
  2 ** -61 + 2 ** -84,
  2 ** -40 + 2 ** -61,
  2 ** -60 - 2 ** -84,
] as const;

const elements = fc.oneof(
  fc.constantFrom(...SPECIAL),
  fc.float({ min: -LARGEST_ELEMENT, max: LARGEST_ELEMENT, noNaN: true }),
  fc.float({ min: -1, max: 1, noNaN: true }),
  // Of any exponent, evenly
  fc
    .record({ mantissa: fc.double({ min: -2, max: 2, noNaN: true }), exponent: fc.integer({ min: -150, max: 18 }) })
    .map(({ mantissa, exponent }) => Math.fround(mantissa * 2 ** exponent)),
);

/** 1 to 12 gradients of 1 to 40 elements, so that most lengths are no multiple of what the kernels take at a time. */
const gradientSets = fc
  .record({ size: fc.integer({ min: 1, max: 40 }), count: fc.integer({ min: 1, max: 12 }) })
  .chain(({ size, count }) => {
    const gradient = fc
      .array(elements, { minLength: size, maxLength: size })
      .map((values) => Float32Array.from(values));
    return fc.array(gradient, { minLength: count, maxLength: count });
  });

/** The bytes of a gradient at an address that no float32 may have. */
function unaligned(values: Float32Array | Float64Array): Uint8Array {
  const bytes = new Uint8Array(values.byteLength + 1).subarray(1);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return bytes;
}

function doubles(bytes: Uint8Array): number[] {
  return [...new Float64Array(Uint8Array.from(bytes).buffer)];
}

/** One text for all bits of a sum: quicker to compare than bytes, one by one. */
function bits({ high, low, count }: SumBytes): string {
  return `${count} ${Buffer.from(high).toString("base64")} ${Buffer.from(low).toString("base64")}`;
}

/** Adds the gradients in their order, each by itself. */
function sumOf(gradients: readonly Float32Array[]): SumBytes {
  const sum = new ExactSums(gradients[0]!.length, 1).open();
  for (const gradient of gradients) expect(sum.add(floatsToBytes(gradient))).toBeUndefined();
  return sum.toBytes();
}

/** Adds up the gradients in a random tree: again and again, two of the sums become one. */
function sumInTree(sums: ExactSums, gradients: readonly Float32Array[], choices: readonly number[]): SumBytes {
  let parts: SumBytes[] = gradients.map((gradient) => closing(sums, (sum) => sum.add(unaligned(gradient))));
  for (let i = 0; parts.length > 1; i++) {
    const [first] = parts.splice(choices[2 * i]! % parts.length, 1);
    const [second] = parts.splice(choices[2 * i + 1]! % parts.length, 1);
    const joined = closing(sums, (sum) => sum.addGroup(first!) ?? sum.addGroup(second!));
    parts = [...parts, joined];
  }
  return parts[0]!;
}

function closing(sums: ExactSums, fill: (sum: ExactSum) => unknown): SumBytes {
  const sum = sums.open();
  expect(fill(sum)).toBeUndefined();
  const bytes = sum.toBytes();
  sum.release();
  return bytes;
}

const choices = fc.array(fc.nat(1000), { minLength: 24, maxLength: 24 });

describe("the sum of gradients", () => {
  it("is that of integer arithmetic, to the bit, and so is the mean, rounded where the formula says", () => {
    fc.assert(
      fc.property(gradientSets, (gradients) => {
        const sums = new ExactSums(gradients[0]!.length, 1);
        const sum = sums.open();
        for (const gradient of gradients) sum.add(floatsToBytes(gradient));
        const expected = sumsInIntegers(gradients);
        const { high, low, count } = sum.toBytes();
        expect(doubles(high)).toEqual(expected.map(({ high }) => roundedToDouble(high, 2n ** 20n)));
        expect(doubles(low)).toEqual(expected.map(({ low }) => roundedToDouble(low, 2n ** 60n)));
        expect(count).toBe(gradients.length);
        const mean = expected.map(({ high, low }) => {
          const total = roundedToDouble((high << 40n) + low, 2n ** 60n);
          const [numerator, denominator] = ratio(total);
          return roundedToDouble(numerator, denominator * BigInt(gradients.length));
        });
        expect([...sum.mean()]).toEqual(mean);
      }),
      { numRuns: 200 },
    );
  });

  it("has the same bits in any order and any tree of partial sums", () => {
    fc.assert(
      fc.property(gradientSets, choices, (gradients, order) => {
        const sums = new ExactSums(gradients[0]!.length, 1);
        expect(bits(sumInTree(sums, gradients, order))).toBe(bits(sumOf(gradients)));
        expect(sums.inUse).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it("differs from the true sum by at most 2^-61 a term", () => {
    fc.assert(
      fc.property(elements, (x) => {
        const { high, low } = exactParts(x);
        const lost = unitsOf(x) - (high << (149n - 20n)) - (low << (149n - 60n));
        expect(lost < 0n ? -lost : lost).toBeLessThanOrEqual(2n ** (149n - 61n));
      }),
    );
  });

  it("is exact with as many terms as are allowed, each at a bound", () => {
    const worst = [LARGEST_ELEMENT, -LARGEST_ELEMENT, 2 ** -21, -(2 ** -21), TINY, -0, 1 + 2 ** -21 - 2 ** -23];
    const gradient = Float32Array.from(worst);
    const bytes = floatsToBytes(gradient);
    const sum = new ExactSums(worst.length, 1).open();
    for (let i = 0; i < LARGEST_COUNT; i++) expect(sum.add(bytes)).toBeUndefined();
    const { high, low } = sum.toBytes();
    const parts = worst.map((x) => exactParts(Math.fround(x)));
    expect(doubles(high)).toEqual(parts.map((part) => Number(part.high * BigInt(LARGEST_COUNT)) / 2 ** 20));
    expect(doubles(low)).toEqual(parts.map((part) => Number(part.low * BigInt(LARGEST_COUNT)) / 2 ** 60));
    expect(sum.add(bytes)).toEqual({ code: "count", reason: "is of 1 gradients, where 1 to 0 can be added" });
    for (let i = 0; i < LARGEST_COUNT - 1; i++) sum.subtract(bytes);
    expect(bits(sum.toBytes())).toBe(bits(sumOf([gradient])));
  });

  it("is the same over many blocks and a last one that is not full", () => {
    const gradients = [1, 2, 3].map((seed) => Float32Array.from({ length: 10_003 }, (_, i) => Math.sin(i * seed) / 3));
    const expected = sumsInIntegers(gradients);
    const { high, low } = sumOf(gradients);
    expect(doubles(high)).toEqual(expected.map((sums) => Number(sums.high) / 2 ** 20));
    expect(doubles(low)).toEqual(expected.map((sums) => Number(sums.low) / 2 ** 60));
  });

  it("never has a negative zero", () => {
    const sum = new ExactSums(2, 1).open();
    const [negative, one] = [Float32Array.of(-0, -0), Float32Array.of(1, -(2 ** -50))].map(floatsToBytes);
    sum.add(negative!);
    sum.addGroup({ high: unaligned(Float64Array.of(-0, -0)), low: unaligned(Float64Array.of(-0, -0)), count: 1 });
    sum.add(one!);
    sum.subtract(one!);
    expect([...sum.mean()]).toEqual([0, 0]);
  });

  it("does not depend on the address of the bytes that come in", () => {
    fc.assert(
      fc.property(gradientSets, (gradients) => {
        const sums = new ExactSums(gradients[0]!.length, 1);
        const sum = closing(sums, (sum) => gradients.map((one) => sum.add(unaligned(one))).find(Boolean));
        expect(bits(sum)).toBe(bits(sumOf(gradients)));
      }),
      { numRuns: 50 },
    );
  });
});

describe("taking out", () => {
  it("leaves the sum as if a gradient, or a group, had never been added", () => {
    fc.assert(
      fc.property(gradientSets, gradientSets, (stay, others) => {
        const size = stay[0]!.length;
        const go = others.map((gradient) => Float32Array.from({ length: size }, (_, i) => gradient[i] ?? 0));
        const sum = new ExactSums(size, 1).open();
        for (const gradient of go) sum.add(floatsToBytes(gradient));
        for (const gradient of stay) sum.add(floatsToBytes(gradient));
        sum.addGroup(sumOf(go));
        for (const gradient of go) sum.subtract(unaligned(gradient));
        sum.subtractGroup(sumOf(go));
        expect(bits(sum.toBytes())).toBe(bits(sumOf(stay)));
      }),
      { numRuns: 100 },
    );
  });

  it("of what cannot have been added throws and changes nothing", () => {
    const gradient = floatsToBytes(Float32Array.of(1, 2));
    const sum = new ExactSums(2, 1).open();
    expect(() => sum.subtract(gradient)).toThrow("cannot take 1 out of a sum of 0 gradients");
    sum.add(gradient);
    const before = sum.toBytes();
    expect(() => sum.subtract(floatsToBytes(Float32Array.of(1, Number.NaN)))).toThrow(RangeError);
    expect(() => sum.subtract(gradient.subarray(4))).toThrow("has 1 elements, not 2");
    expect(() => sum.subtractGroup({ ...before, count: 2 })).toThrow("cannot take 2 out");
    expect(() => sum.subtractGroup({ ...before, count: -1 })).toThrow("is of -1 gradients");
    expect(bits(sum.toBytes())).toBe(bits(before));
  });
});

describe("a gradient", () => {
  const size = 5000;
  const fine = Float32Array.from({ length: size }, (_, i) => Math.cos(i));

  function refusal(at: number, value: number, maxNorm?: number) {
    const sum = new ExactSums(size, 1).open();
    sum.add(floatsToBytes(fine));
    const before = sum.toBytes();
    const odd = fine.slice();
    odd[at] = value;
    const rejection = sum.add(unaligned(odd), maxNorm);
    expect(bits(sum.toBytes())).toBe(bits(before));
    return rejection;
  }

  it.each([0, 1, 2, 3, 4, 7, 2047, 2048, 4096, size - 1])(
    "is refused for one bad value, at element %i, and the sum stays as it was",
    (at) => {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const reason = `has a gradient that is ${value} at element ${at}`;
        expect(refusal(at, value)).toEqual({ code: "not-finite", reason });
      }
      const beyond = LARGEST_ELEMENT + 2 ** -3;
      for (const value of [beyond, -beyond]) {
        const reason = `has a gradient that is ${value} at element ${at}, above the bound 2^20`;
        expect(refusal(at, value)).toEqual({ code: "element", reason });
      }
      for (const value of [LARGEST_ELEMENT, -LARGEST_ELEMENT]) {
        const odd = fine.slice();
        odd[at] = value;
        expect(new ExactSums(size, 1).open().add(floatsToBytes(odd))).toBeUndefined();
      }
    },
  );

  it("is refused for its norm, and the sum stays as it was", () => {
    const reason = "has norm 1.000e+4, above the bound 9999";
    expect(refusal(4000, 10_000, 9999)).toMatchObject({ code: "norm", reason });
    expect(refusal(4000, 0, Number.NaN)).toMatchObject({ code: "norm" });
  });

  it("is let through with a norm at the bound", () => {
    const sum = new ExactSums(20, 1).open();
    // Every place of the kernel's eight takes part: 1² + … + 20² = 2870
    const gradient = floatsToBytes(Float32Array.from({ length: 20 }, (_, i) => i + 1));
    expect(sum.add(gradient, Math.sqrt(2869.999))).toMatchObject({ code: "norm" });
    expect(sum.add(gradient, Math.sqrt(2870))).toBeUndefined();
    expect(sum.count).toBe(1);
  });

  it("has the norm of one order of adding, to the bit", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const values = Float32Array.from({ length: 3003 }, (_, i) => Math.sin(i * seed) * 3 ** ((i * seed) % 8));
      const eighths = Array.from({ length: 8 }, (_, place) =>
        values.reduce((sum, x, i) => (i % 8 === place ? sum + x * x : sum), 0),
      );
      const pairs = [0, 2, 4, 6].map((i) => eighths[i]! + eighths[i + 1]!);
      const norm = Math.sqrt(pairs[0]! + pairs[1]! + (pairs[2]! + pairs[3]!));
      const sum = new ExactSums(3003, 1).open();
      expect(sum.add(floatsToBytes(values), norm * (1 - 2 ** -53))?.code).toBe("norm");
      expect(sum.add(floatsToBytes(values), norm)).toBeUndefined();
    }
  });

  it("is refused with another length", () => {
    const sum = new ExactSums(3, 1).open();
    const rejection = { code: "size", reason: "has 2.25 elements, not 3" };
    expect(sum.add(new Uint8Array(9))).toEqual(rejection);
    expect(sum.count).toBe(0);
  });
});

describe("a group's sum", () => {
  const size = 3000;
  const at = 2500;

  function refusal(change: { high?: number; low?: number; count?: number }, maxNorm?: number) {
    const sum = new ExactSums(size, 1).open();
    sum.add(floatsToBytes(new Float32Array(size).fill(1.25)));
    const before = sum.toBytes();
    const [high, low] = [new Float64Array(size).fill(0.5), new Float64Array(size).fill(2 ** -60)];
    high[at] = change.high ?? 0.5;
    low[at] = change.low ?? 0;
    const group = { high: unaligned(high), low: unaligned(low), count: change.count ?? 2 };
    const rejection = sum.addGroup(group, maxNorm);
    if (rejection) expect(bits(sum.toBytes())).toBe(bits(before));
    return rejection;
  }

  it.each([
    ["is not finite", { high: Number.NaN }, "not-finite"],
    ["is not finite in its low part", { low: Number.NEGATIVE_INFINITY }, "not-finite"],
    ["is beyond the count's bound", { high: 2 * LARGEST_ELEMENT + 2 ** -20 }, "element"],
    ["is beyond the count's bound in its low part", { low: -(2 ** -20) - 2 ** -60 }, "element"],
    ["is no multiple of the step", { high: 0.5 + 2 ** -21 }, "element"],
    ["is no multiple of the step in its low part", { low: 2 ** -30 + 2 ** -61 }, "element"],
    ["is subnormal", { low: Number.MIN_VALUE }, "element"],
    ["is of no gradients", { count: 0 }, "count"],
    ["is of a part of a gradient", { count: 1.5 }, "count"],
    ["is of NaN gradients", { count: Number.NaN }, "count"],
    ["is of too many gradients with those there", { count: LARGEST_COUNT }, "count"],
  ])("is refused when it %s, and the sum stays as it was", (_, change, code) => {
    expect(refusal(change)?.code).toBe(code);
  });

  it("says which value is wrong and why", () => {
    expect(refusal({ low: 2 ** -61 })?.reason).toBe(
      `has a sum of low parts that is ${2 ** -61} at element 2500, which no sum of gradients within 2^20 gives`,
    );
  });

  it("is let through at the bounds of its count", () => {
    expect(refusal({ high: 2 * LARGEST_ELEMENT, low: -(2 ** -20) })).toBeUndefined();
    expect(refusal({ count: LARGEST_COUNT - 1 })).toBeUndefined();
  });

  it("is refused when its norm is above what its gradients may have together", () => {
    const norm = 0.5 * Math.sqrt(size);
    expect(refusal({}, (norm / 2) * 0.999)?.code).toBe("norm");
    expect(refusal({}, norm / 2)).toBeUndefined();
  });

  it("is refused with another length of either part", () => {
    const sum = new ExactSums(2, 1).open();
    const two = new Uint8Array(16);
    expect(sum.addGroup({ high: two.subarray(8), low: two, count: 1 })?.code).toBe("size");
    expect(sum.addGroup({ high: two, low: two.subarray(8), count: 1 })?.code).toBe("size");
  });
});

describe("the memory of sums", () => {
  it("does not grow however often sums are opened, filled, refused and released, and nothing stays allocated", () => {
    const sums = new ExactSums(30_000, 2);
    const [fine, bad] = [Float32Array.of(1), Float32Array.of(Number.NaN)].map((start) => {
      const gradient = new Float32Array(30_000);
      gradient.set(start, 29_999);
      return floatsToBytes(gradient);
    });
    const use = () => {
      const [one, other] = [sums.open(), sums.open()];
      one.add(fine!);
      expect(one.add(bad!)?.code).toBe("not-finite");
      expect(other.addGroup(one.toBytes())).toBeUndefined();
      other.subtract(fine!);
      one.release();
      other.release();
      other.release();
    };
    use();
    const { bytes } = sums;
    for (let i = 0; i < 200; i++) use();
    expect(sums.bytes).toBe(bytes);
    expect(sums.inUse).toBe(0);
    expect(bytes).toBeLessThan(2 * 16 * 30_000 + 3 * 65_536);
  });

  it("is handed out empty", () => {
    const sums = new ExactSums(9, 1);
    const first = sums.open();
    first.add(floatsToBytes(new Float32Array(9).fill(3)));
    first.release();
    const second = sums.open();
    expect(second.count).toBe(0);
    second.add(floatsToBytes(new Float32Array(9).fill(1)));
    expect([...second.mean()]).toEqual(new Array(9).fill(1));
    second.clear();
    expect(() => second.mean()).toThrow("no mean");
    expect(doubles(second.toBytes().high)).toEqual(new Array(9).fill(0));
  });

  it("keeps what a sum holds when it grows for another one", () => {
    const sums = new ExactSums(20_000, 4);
    const gradient = Float32Array.from({ length: 20_000 }, (_, i) => i);
    const open = Array.from({ length: 4 }, () => {
      const sum = sums.open();
      sum.add(floatsToBytes(gradient));
      return sum;
    });
    for (const sum of open) expect([...sum.mean()]).toEqual([...gradient]);
  });

  it("has a bound, and a sum that was released cannot be used", () => {
    const sums = new ExactSums(4, 1);
    const sum = sums.open();
    expect(() => sums.open()).toThrow("all 1 sums are in use: release one first");
    sum.release();
    for (const use of [() => sum.add(new Uint8Array(16)), () => sum.mean(), () => sum.toBytes(), () => sum.clear()]) {
      expect(use).toThrow("this sum was released");
    }
    expect(() => new ExactSums(0, 1)).toThrow(RangeError);
    expect(() => new ExactSums(225_091, 5000)).toThrow("do not fit into 4 GiB");
  });
});
