import { Adam } from "@mzsr/mzsr";
import { configurationSchema } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { OuterUpdate } from "./outer-update.js";
import { RunSchedule } from "./schedule.js";
import { initialTrainingState } from "./training-state.js";

const LAYOUT = {
  entries: [
    { name: "conv1/kernel", shape: [2], offset: 0, size: 2 },
    { name: "inner_rate/0", shape: [1], offset: 2, size: 1 },
  ],
  size: 3,
};
const SCHEDULE = new RunSchedule(
  configurationSchema.parse({
    pretraining: { steps: 2, learningRate: 0.1 },
    metaTraining: { steps: 3, learnedRates: true, learningRate: 0.01, rateLearningRate: 0.5 },
  }),
);
const THETA = Float32Array.of(1, -1, -4);
const GRADIENT = Float64Array.of(0.3, -0.2, 0.1);

const fresh = () => new OuterUpdate(SCHEDULE, LAYOUT, initialTrainingState(THETA));

describe("OuterUpdate", () => {
  it("leaves the inner rates alone in pretraining", () => {
    const { theta, learningRate } = fresh().apply(0, THETA, Float64Array.of(0.3, -0.2, 0));
    expect(learningRate).toBe(0.1);
    expect(theta[2]).toBe(-4);
    expect(theta[0]).toBeCloseTo(0.9, 6);
  });

  it("moves the inner rates with their own rate in meta-training", () => {
    const { theta } = fresh().apply(2, THETA, GRADIENT);
    expect(theta[0]).toBeCloseTo(0.99, 6);
    expect(theta[2]).toBeCloseTo(-4.5, 6);
  });

  it("begins each stage with fresh moments", () => {
    const update = fresh();
    update.apply(0, THETA, GRADIENT);
    update.apply(1, THETA, GRADIENT);
    expect(update.apply(2, THETA, GRADIENT).theta).toEqual(fresh().apply(2, THETA, GRADIENT).theta);
    expect(update.snapshot().steps).toBe(1);
  });

  it("rounds once, from float64", () => {
    const theta64 = Float64Array.from(THETA);
    new Adam(3).step(theta64, GRADIENT, [
      { from: 0, to: 2, rate: 0.01 },
      { from: 2, to: 3, rate: 0.5 },
    ]);
    expect(fresh().apply(2, THETA, GRADIENT).theta).toEqual(Float32Array.from(theta64));
  });

  it("scales a gradient down that is longer than the stage's limit, and no other", () => {
    const clipping = (clipNorm: number) => {
      const stages = { pretraining: { steps: 2 }, metaTraining: { steps: 3, clipNorm } };
      const update = new OuterUpdate(
        new RunSchedule(configurationSchema.parse(stages)),
        { entries: LAYOUT.entries.slice(0, 1), size: 2 },
        initialTrainingState(new Float32Array(2)),
      );
      const result = update.apply(2, new Float32Array(2), Float64Array.of(3, 4));
      return { norm: result.gradientNorm, moment: [...update.snapshot().firstMoment] };
    };
    const moment = (share: number) => [(1 - 0.9) * (3 * share), (1 - 0.9) * (4 * share)];
    expect(clipping(0.5)).toEqual({ norm: 5, moment: moment(0.1) });
    expect(clipping(5)).toEqual({ norm: 5, moment: moment(1) });
    expect(clipping(0)).toEqual({ norm: 5, moment: moment(1) });
  });

  it("averages the parameters of a stage that asks for it, anew for each, and leaves them as they are", () => {
    const averaging = new RunSchedule(
      configurationSchema.parse({
        pretraining: { steps: 2, learningRate: 0.1, emaDecay: 0.5 },
        metaTraining: { steps: 3, learnedRates: true, learningRate: 0.01, rateLearningRate: 0.5, emaDecay: 0.9 },
      }),
    );
    const [plain, update] = [fresh(), new OuterUpdate(averaging, LAYOUT, initialTrainingState(THETA))];
    let theta: Float32Array = THETA;
    const thetas = [0, 1, 2].map((step) => {
      const next = update.apply(step, theta, GRADIENT);
      expect(next).toEqual(plain.apply(step, theta, GRADIENT));
      theta = next.theta;
      return { theta, average: update.average() };
    });
    const [first, second, third] = thetas;
    const mean = (i: number) => (first!.theta[i]! * 0.5 + second!.theta[i]!) / 1.5;
    expect(second!.average?.average[0]).toBeCloseTo(mean(0), 12);
    expect(third!.average).toEqual({ steps: 1, average: Float64Array.from(third!.theta) });
    expect(plain.average()).toBeUndefined();
    const resumed = new OuterUpdate(averaging, LAYOUT, { step: 3, adam: update.snapshot(), ema: update.average() });
    resumed.apply(3, theta, GRADIENT);
    update.apply(3, theta, GRADIENT);
    expect(resumed.average()).toEqual(update.average());
  });

  it("goes on from a snapshot with the same bits, and the snapshot stays as it was", () => {
    const whole = fresh();
    const first = whole.apply(2, THETA, GRADIENT);
    const snapshot = whole.snapshot();
    const second = whole.apply(3, first.theta, GRADIENT);
    const resumed = new OuterUpdate(SCHEDULE, LAYOUT, { step: 3, adam: snapshot }).apply(3, first.theta, GRADIENT);
    expect(resumed).toEqual(second);
  });
});
