import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { stepWeights } from "./step-weights.js";

const { cases }: { cases: { step: number; inner_steps: number; weights: number[] }[] } = JSON.parse(
  readFileSync(new URL("../../../../test/golden/step_weights.json", import.meta.url), "utf8"),
);

it.each(cases)("weighs $inner_steps inner steps at meta-step $step as the reference does", (golden) => {
  const weights = stepWeights(golden.step, golden.inner_steps);
  expect(weights).toHaveLength(golden.inner_steps);
  weights.forEach((weight, j) => {
    expect(Math.abs(weight - golden.weights[j]!)).toBeLessThan(1e-12);
  });
});

it("gives a single inner step all the weight, always", () => {
  for (const metaStep of [0, 1000, 100_000]) expect(stepWeights(metaStep, 1)[0]).toBeCloseTo(1, 12);
});
