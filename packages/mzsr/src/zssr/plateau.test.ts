import { expect, it } from "vitest";
import { fittedSlope, Plateau } from "./plateau.js";

const options = { learningRate: 1e-3, smallestRate: 1e-4 };

it("fits a line by least squares", () => {
  const { slope, deviation } = fittedSlope([1, 3, 5, 7]);
  expect(slope).toBeCloseTo(2, 12);
  expect(deviation).toBeCloseTo(0, 12);
  // By hand: residuals 0.1, -0.2, 0.1 of the line 0.1 + 1.5 x; √(0.06 / 1 / 2).
  const rough = fittedSlope([0.2, 1.4, 3.2]);
  expect(rough.slope).toBeCloseTo(1.5, 12);
  expect(rough.deviation).toBeCloseTo(Math.sqrt(0.06 / 2), 12);
});

it("keeps the rate while the error falls steadily", () => {
  const plateau = new Plateau(options);
  for (let i = 0; i < 20; i++) plateau.add(1 / (i + 5));
  expect(plateau.rate).toBe(1e-3);
});

it("divides the rate by ten when the error stops falling, waits for new errors, and ends below the smallest rate", () => {
  const plateau = new Plateau(options);
  const noise = [1, 1.2, 0.9, 1.1, 1, 1.2];
  for (const error of noise) plateau.add(error);
  expect(plateau.rate).toBeCloseTo(1e-4, 12);
  expect(plateau.over).toBe(false);
  for (const error of noise.slice(1)) plateau.add(error);
  expect(plateau.rate).toBeCloseTo(1e-4, 12);
  plateau.add(1.2);
  expect(plateau.over).toBe(true);
});
