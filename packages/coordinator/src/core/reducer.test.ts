import { describe, expect, it } from "vitest";
import { smallOutcome } from "../testing/core-harness.js";
import { reduceOutcomes } from "./reducer.js";

const HUGE = 2 ** 60;

function outcome(index: number, value: number) {
  return { ...smallOutcome({ stage: "metaTraining", step: 0, index }), gradient: Float32Array.of(value) };
}

describe("reduceOutcomes", () => {
  it("sums in index order in float64 and divides by the number of tasks", () => {
    // In any other order the huge pair would swallow the small one.
    const reduction = reduceOutcomes([outcome(0, HUGE), outcome(1, -HUGE), outcome(2, 0.75)]);
    expect(reduction.gradient).toEqual(Float64Array.of(0.25));
  });

  it("refuses outcomes that are not in index order", () => {
    expect(() => reduceOutcomes([outcome(0, 1), outcome(2, 1), outcome(1, 1)])).toThrow(RangeError);
  });

  it("averages the losses over the tasks", () => {
    const losses = (index: number, query: number[]) => ({ ...outcome(index, 1), queryLosses: query });
    expect(reduceOutcomes([losses(0, [1, 2]), losses(1, [3, 6])]).queryLosses).toEqual([2, 4]);
  });
});
