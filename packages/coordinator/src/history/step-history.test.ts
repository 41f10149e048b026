import type { StepSummary } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { StepHistory } from "./step-history.js";

const PRETRAINING_STEPS = 40;

function summary(step: number, queryAfter = 1 / step): StepSummary {
  const meta = step > PRETRAINING_STEPS;
  return {
    step,
    stage: meta ? "metaTraining" : "pretraining",
    stageStep: meta ? step - PRETRAINING_STEPS : step,
    supportLosses: meta ? [2 / step, 1.5 / step] : [3 / step],
    queryLosses: meta ? [2 / step, queryAfter] : [],
    gradientNorm: 1,
    learningRate: 1e-4,
    stepWeights: meta ? [1] : [],
    seconds: 0.5,
    tasks: 5,
    workers: 2,
    thetaSha256: "00".repeat(32),
  };
}

function historyOf(steps: number): StepHistory {
  const history = new StepHistory();
  for (let step = 1; step <= steps; step++) history.append(summary(step));
  return history;
}

describe("StepHistory", () => {
  it("gives every step while they fit the points, with null for what a stage does not have", () => {
    const columns = historyOf(60).columns("a");
    expect(columns).toMatchObject({ run: "a", firstStep: 1, lastStep: 60, bucketSteps: 1 });
    expect(columns.step).toEqual(Array.from({ length: 60 }, (_, row) => row + 1));
    expect(columns.supportBefore[9]).toBeCloseTo(0.3, 6);
    expect(columns.queryAfter[9]).toBeNull();
    expect(columns.queryAfter[49]).toBeCloseTo(1 / 50, 6);
    expect(columns.latest?.step).toBe(60);
  });

  it("keeps a spike of one step in 100,000 in the extremes", () => {
    const history = new StepHistory();
    for (let step = 1; step <= 100_000; step++) history.append(summary(step, step === 77_777 ? 50 : 1 / step));
    const columns = history.columns("a", { points: 500 });
    expect(columns.step.length).toBeLessThanOrEqual(501);
    expect(columns.step.at(-1)).toBe(100_000);
    const bucket = columns.step.findIndex((step) => step >= 77_777);
    expect(columns.greatest.queryAfter[bucket]).toBe(50);
    expect(columns.queryAfter[bucket]).toBeLessThan(1);
  });

  it("never mixes two stages in a bucket", () => {
    const columns = historyOf(200).columns("a", { points: 4 });
    expect(columns.bucketSteps).toBe(50);
    expect(columns.step).toEqual([40, 50, 100, 150, 200]);
    expect(columns.stage).toEqual(["pretraining", ...Array(4).fill("metaTraining")]);
  });

  it("gives a range of steps", () => {
    const columns = historyOf(200).columns("a", { from: 101, to: 110 });
    expect(columns.step).toEqual([101, 102, 103, 104, 105, 106, 107, 108, 109, 110]);
    expect(columns).toMatchObject({ firstStep: 1, lastStep: 200 });
    expect(historyOf(20).columns("a", { from: 30 }).step).toEqual([]);
  });

  it("drops what a resumed run does again", () => {
    const history = historyOf(60);
    history.append(summary(51, 7));
    const { step, queryAfter } = history.columns("a");
    expect(step.at(-1)).toBe(51);
    expect(queryAfter.at(-1)).toBe(7);
  });

  it("says so when there is no step yet", () => {
    const columns = new StepHistory().columns("a");
    expect(columns).toMatchObject({ firstStep: 0, lastStep: 0, step: [], latest: null });
  });
});
