import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Adam } from "./adam.js";

interface Golden {
  initial: { data: number[] };
  steps: { gradient: { data: number[] }; params: { data: number[] } }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../../test/golden/adam.json", import.meta.url), "utf8"));

describe("Adam", () => {
  it("moves as the reference does", () => {
    const theta = Float64Array.from(golden.initial.data);
    const adam = new Adam(theta.length);
    for (const { gradient, params } of golden.steps) {
      adam.step(theta, gradient.data, 1e-4);
      theta.forEach((value, i) => {
        expect(Math.abs(value - params.data[i]!)).toBeLessThan(1e-7);
      });
    }
  });

  it("goes on from its state as if it had not stopped, to the bit", () => {
    const [whole, resumed] = [Float64Array.from(golden.initial.data), Float64Array.from(golden.initial.data)];
    const one = new Adam(whole.length);
    let other = new Adam(whole.length);
    for (const { gradient } of golden.steps) {
      one.step(whole, gradient.data, 1e-3);
      other = Adam.fromState(structuredClone(other.state));
      other.step(resumed, gradient.data, 1e-3);
    }
    expect(resumed).toEqual(whole);
    expect(other.state).toEqual(one.state);
  });

  it("moves each segment with its own rate, and nothing outside them", () => {
    const [theta, even] = [new Float64Array(4).fill(1), new Float64Array(4).fill(1)];
    const gradient = [0.5, -0.5, 2, 3];
    new Adam(4).step(theta, gradient, [
      { from: 0, to: 1, rate: 1e-3 },
      { from: 1, to: 3, rate: 1e-2 },
    ]);
    new Adam(4).step(even, gradient, 1e-2);
    expect(theta.subarray(1, 3)).toEqual(even.subarray(1, 3));
    expect(theta[0]).toBeCloseTo(1 - 1e-3, 8);
    expect(theta[3]).toBe(1);
  });
});
