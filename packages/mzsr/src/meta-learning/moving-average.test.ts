import { expect, it } from "vitest";
import { MovingAverage } from "./moving-average.js";

const empty = () => ({ steps: 0, average: new Float64Array(2) });
const PARAMETERS = [Float32Array.of(1, -2), Float32Array.of(2, 0), Float32Array.of(4, 8)];

it("weighs what lies k steps back by decay^k, with weights that sum to 1", () => {
  const average = new MovingAverage(0.5, empty());
  for (const parameters of PARAMETERS) average.add(parameters);
  const { steps, average: values } = average.snapshot();
  expect(steps).toBe(3);
  expect(values[0]).toBeCloseTo((1 / 4 + 2 / 2 + 4) / 1.75, 12);
  expect(values[1]).toBeCloseTo((-2 / 4 + 8) / 1.75, 12);
});

it("is the first parameters after one step", () => {
  const average = new MovingAverage(0.999, empty());
  average.add(PARAMETERS[0]!);
  expect([...average.snapshot().average]).toEqual([1, -2]);
});

it("goes on from a snapshot with the same bits, and the snapshot stays as it was", () => {
  const whole = new MovingAverage(0.9, empty());
  whole.add(PARAMETERS[0]!);
  const resumed = new MovingAverage(0.9, whole.snapshot());
  for (const parameters of PARAMETERS.slice(1)) {
    whole.add(parameters);
    resumed.add(parameters);
  }
  expect(resumed.snapshot()).toEqual(whole.snapshot());
});
