import { describe, expect, it } from "vitest";
import { smallOutcome } from "../testing/core-harness.js";
import { reduceOutcomes } from "./reducer.js";

const HUGE = 2 ** 20;

function outcome(index: number, value: number) {
  return { ...smallOutcome({ stage: "metaTraining", step: 0, index }), gradient: Float32Array.of(value) };
}

describe("reduceOutcomes", () => {
  it("gives the same bits whichever task has which gradient", () => {
    // Rounded float64 sums lose the small one between the huge pair.
    const small = 2 ** -40;
    for (const values of [
      [HUGE, -HUGE, small],
      [HUGE, small, -HUGE],
      [small, HUGE, -HUGE],
    ]) {
      const reduction = reduceOutcomes(values.map((value, index) => outcome(index, value)));
      expect(reduction.gradient).toEqual(Float64Array.of(small / 3));
    }
  });

  it("refuses outcomes that are not in index order", () => {
    expect(() => reduceOutcomes([outcome(0, 1), outcome(2, 1), outcome(1, 1)])).toThrow(RangeError);
  });

  it("averages the losses over the tasks", () => {
    const losses = (index: number, query: number[]) => ({ ...outcome(index, 1), queryLosses: query });
    expect(reduceOutcomes([losses(0, [1, 2]), losses(1, [3, 6])]).queryLosses).toEqual([2, 4]);
  });
});
