import { configurationSchema } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { RunSchedule } from "./schedule.js";

function schedule(changes: object = {}): RunSchedule {
  return new RunSchedule(
    configurationSchema.parse({
      pretraining: { steps: 10, tasks: 4, halveEvery: 3, learningRate: 4e-4, learningRateFloor: 1.5e-4 },
      metaTraining: {
        steps: 5,
        tasks: 7,
        innerSteps: 2,
        learningRate: 1e-4,
        rateLearningRate: 0.02,
        learningRateFinal: 0.2,
      },
      ...changes,
    }),
  );
}

describe("RunSchedule", () => {
  it("counts one step over both stages", () => {
    const run = schedule();
    expect(run.totalSteps).toBe(15);
    expect([9, 10].map((step) => run.stageOf(step))).toEqual(["pretraining", "metaTraining"]);
    expect([9, 10].map((step) => run.tasksOf(step))).toEqual([4, 7]);
    expect([9, 12].map((step) => run.stageStart(step))).toEqual([0, 10]);
  });

  it("halves the pretraining rate down to its floor", () => {
    const rates = [0, 2, 3, 6, 9].map((step) => schedule().learningRates(step).network);
    expect(rates).toEqual([4e-4, 4e-4, 2e-4, 1.5e-4, 1.5e-4]);
  });

  it("lowers both meta-training rates along half a cosine to their final share", () => {
    const run = schedule();
    expect(run.learningRates(10)).toEqual({ network: 1e-4, innerRates: 0.02 });
    expect(run.learningRates(12).network).toBeCloseTo(0.6e-4, 12);
    expect(run.learningRates(14).network).toBeCloseTo(0.2e-4, 12);
    expect(run.learningRates(14).innerRates).toBeCloseTo(0.004, 12);
  });

  it("raises the rates of a stage in its first steps, where a warm-up is asked for", () => {
    const run = schedule({
      pretraining: { steps: 10, learningRate: 4e-4, halveEvery: 3, learningRateFloor: 0, warmupSteps: 4 },
      metaTraining: { steps: 5, learningRate: 1e-4, rateLearningRate: 0.02, warmupSteps: 2 },
    });
    const rates = [0, 1, 2, 3, 4].map((step) => 1e4 * run.learningRates(step).network);
    for (const [step, rate] of [1, 2, 3, 2, 2].entries()) expect(rates[step]).toBeCloseTo(rate, 12);
    expect(run.learningRates(10)).toEqual({ network: 0.5e-4, innerRates: 0.01 });
    expect(run.learningRates(11)).toEqual({ network: 1e-4, innerRates: 0.02 });
  });

  it("starts pipelined tasks k steps back, and never before their stage", () => {
    const run = schedule({ cluster: { pipeline: 2 } });
    expect([0, 1, 2, 5, 10, 11, 13].map((step) => run.parametersStepOf(step))).toEqual([0, 0, 0, 3, 10, 10, 11]);
  });

  it("weighs inner steps in meta-training only", () => {
    expect(schedule().stepWeights(3)).toEqual([]);
    expect(schedule().stepWeights(10)).toEqual([0.5, 0.5]);
  });

  it("moves their weights to the last one, or keeps them even where that is asked for", () => {
    const weightsAfter = (metaTraining: object) => schedule({ metaTraining }).stepWeights(4010);
    expect(weightsAfter({ steps: 5000, innerSteps: 2 })).toEqual([0.015, 0.985]);
    expect(weightsAfter({ steps: 5000, innerSteps: 2, stepWeights: "even" })).toEqual([0.5, 0.5]);
  });
});
