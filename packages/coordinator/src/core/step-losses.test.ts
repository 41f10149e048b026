import { describe, expect, it } from "vitest";
import { smallReport } from "../testing/core-harness.js";
import { meanLosses } from "./step-losses.js";

function report(index: number, queryLosses: readonly number[] = []) {
  return { ...smallReport({ stage: "metaTraining", step: 0, index }), queryLosses };
}

describe("meanLosses", () => {
  it("averages by inner step", () => {
    expect(meanLosses([report(0, [1, 2]), report(1, [3, 6])]).queryLosses).toEqual([2, 4]);
  });

  it("sums in index order in float64", () => {
    const losses = [2 ** 60, 0.75, -(2 ** 60)];
    expect(meanLosses(losses.map((loss, i) => report(i, [loss]))).queryLosses).toEqual([0]);
  });

  it("refuses reports that are not in index order", () => {
    expect(() => meanLosses([report(0), report(2), report(1)])).toThrow(RangeError);
  });
});
