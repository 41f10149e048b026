import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { portableCos, portableExp, portableLog, portableSin } from "./portable-math.js";

/** Distance in units in the last place of `expected`. */
function ulps(actual: number, expected: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(expected));
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return Math.abs(actual - expected) / (view.getFloat64(0) - Math.abs(expected));
}

describe("portable functions agree with the engine's", () => {
  test("exp, within 3 units in the last place", () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 709, noNaN: true }), (x) => ulps(portableExp(x), Math.exp(x)) <= 3),
    );
  });

  test("log, within 3 units in the last place", () => {
    const positive = fc.double({ min: 1e-300, max: 1e300, noNaN: true });
    const nearOne = fc.double({ min: 0.5, max: 2, noNaN: true });
    fc.assert(fc.property(fc.oneof(positive, nearOne), (x) => ulps(portableLog(x), Math.log(x)) <= 3));
  });

  test("sin and cos, within 3e-16 over many turns", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e4, max: 1e4, noNaN: true }), (x) => {
        expect(Math.abs(portableSin(x) - Math.sin(x))).toBeLessThan(3e-16);
        expect(Math.abs(portableCos(x) - Math.cos(x))).toBeLessThan(3e-16);
      }),
    );
  });
});

test("exact where exactness is expected", () => {
  expect([portableExp(0), portableLog(1), portableSin(0), portableCos(0)]).toEqual([1, 0, 0, 1]);
  expect(portableLog(2 ** -30)).toBe(-30 * Math.LN2);
});

test("ends of the range give limits, not garbage", () => {
  expect([portableExp(-1e4), portableExp(1e4), portableExp(Number.NaN)]).toEqual([0, Infinity, Number.NaN]);
  expect([portableLog(0), portableLog(-1), portableLog(Infinity)]).toEqual([-Infinity, Number.NaN, Infinity]);
  expect(portableExp(-740)).toBeCloseTo(Math.exp(-740), 320);
  expect(() => portableSin(1e9)).toThrow(RangeError);
});

test("the bits never change: the determinism contract rests on them", () => {
  const values = Float64Array.from({ length: 4000 }, (_, i) => {
    const x = (i >> 2) * 0.037 - 18;
    return [portableExp(x), portableLog(Math.abs(x) + 0.01), portableSin(x), portableCos(x)][i & 3]!;
  });
  const littleEndian = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) littleEndian.writeDoubleLE(value, i * 8);
  expect(createHash("sha256").update(littleEndian).digest("hex")).toMatchInlineSnapshot(
    `"b0b1abbf15c049046ef1c3430695965023179a5c15a39c5903fbd08ea61bee95"`,
  );
});
