import { StepHistory } from "@mzsr/coordinator";
import type { StepSummary } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { gains, robustRange, rowsOf, smoothed, sparseRows, withStep } from "./series.js";

function step(number: number, changes: Partial<StepSummary> = {}): StepSummary {
  return {
    step: number,
    stage: "metaTraining",
    stageStep: number,
    supportLosses: [0.4, 0.3],
    queryLosses: [0.4, 0.2],
    gradientNorm: 1,
    learningRate: 1e-4,
    stepWeights: [1],
    seconds: 0.5,
    tasks: 5,
    workers: 2,
    thetaSha256: "",
    ...changes,
  };
}

describe("smoothed", () => {
  it("keeps a constant, and starts at the first value", () => {
    expect(smoothed([3, 3, 3], 0.9)).toEqual([3, 3, 3].map((value) => expect.closeTo(value, 12)));
    expect(smoothed([5, 1], 0.9)[0]).toBeCloseTo(5, 12);
  });

  it("leaves values alone at weight 0 and follows slowly at a large one", () => {
    expect(smoothed([1, 9, 2], 0)).toEqual([1, 9, 2]);
    const slow = smoothed([0, 0, 0, 0, 10], 0.9).at(-1)!;
    expect(slow).toBeGreaterThan(0);
    expect(slow).toBeLessThan(5);
  });

  it("passes over unknown values", () => {
    expect(smoothed([null, 4, null, 4], 0.5)).toEqual([null, 4, null, 4]);
  });
});

describe("withStep", () => {
  it("makes the columns that the coordinator would have sent", () => {
    const history = new StepHistory();
    for (let number = 1; number <= 5; number++) history.append(step(number));
    const before = history.columns("a");
    const next = step(6, { queryLosses: [0.4, 0.1] });
    history.append(next);
    expect(withStep(before, next, 100)).toEqual(history.columns("a"));
  });

  it("asks for a new fetch when a step is missing, repeated, or no longer single", () => {
    const history = new StepHistory();
    for (let number = 1; number <= 5; number++) history.append(step(number));
    const columns = history.columns("a");
    expect(withStep(columns, step(7), 100)).toBeUndefined();
    expect(withStep(columns, step(5), 100)).toBeUndefined();
    expect(withStep(columns, step(6), 5)).toBeUndefined();
    expect(withStep(history.columns("a", { points: 2 }), step(6), 100)).toBeUndefined();
  });
});

describe("what the charts are made of", () => {
  it("gain is the share of the loss that adaptation removes", () => {
    expect(gains([0.4, null, 0, 0.2], [0.3, 0.1, 0.1, null])).toEqual([expect.closeTo(0.25, 12), null, null, null]);
  });

  it("one outlier does not stretch the range", () => {
    const values = [...Array.from({ length: 999 }, (_, at) => at / 999), 1e6];
    expect(robustRange([values])![1]).toBeLessThan(1);
    expect(robustRange([[null]])).toBeUndefined();
  });

  it("rows of a stage, and a few of them for a table with the last one kept", () => {
    const history = new StepHistory();
    for (let number = 1; number <= 9; number++) {
      history.append(step(number, { stage: number <= 3 ? "pretraining" : "metaTraining" }));
    }
    const columns = history.columns("a");
    expect(rowsOf(columns, "pretraining")).toEqual([0, 1, 2]);
    expect(rowsOf(columns, undefined)).toHaveLength(9);
    expect(sparseRows([0, 1, 2, 3, 4, 5, 6, 7, 8], 3)).toEqual([0, 4, 8]);
  });
});
