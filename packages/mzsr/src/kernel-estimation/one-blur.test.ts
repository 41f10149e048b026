import { expect, it } from "vitest";
import type { Prediction } from "./estimator.js";
import { rootOfWidths } from "./kernel-root.js";
import { oneBlur } from "./one-blur.js";

function seen(sigma1: number, sigma2: number, { theta = 0.3, error = 0.1 } = {}): Prediction {
  return { root: rootOfWidths({ sigma1, sigma2, theta }), error };
}

function times(count: number, prediction: Prediction): Prediction[] {
  return Array.from({ length: count }, () => prediction);
}

it("is what the photo looks like where there are no regions, round unless it clearly is not", () => {
  const clear = oneBlur(seen(2, 1), []);
  expect(clear.sigma1).toBeCloseTo(2, 9);
  expect(clear.sigma2).toBeCloseTo(1, 9);
  expect(clear.theta).toBeCloseTo(0.3, 9);
  const between = oneBlur(seen(1.7, 1.3), []);
  expect(between.sigma1 - between.sigma2).toBeCloseTo(0.2, 9);
  expect(oneBlur(seen(1.6, 1.3), [])).toEqual({
    theta: 0,
    sigma1: expect.closeTo(1.45, 9),
    sigma2: expect.closeTo(1.45, 9),
  });
});

it("is wider in a direction only as far as half of the regions show it", () => {
  const whole = seen(2, 1);
  const difference = (regions: Prediction[]) => {
    const { sigma1, sigma2 } = oneBlur(whole, regions);
    expect((sigma1 + sigma2) / 2).toBeCloseTo(1.5, 9);
    return sigma1 - sigma2;
  };
  const round = seen(1.5, 1.5);
  expect(difference(times(9, whole))).toBeCloseTo(1, 9);
  expect(difference([...times(5, whole), ...times(4, round)])).toBeCloseTo(1, 9);
  expect(difference([...times(4, whole), ...times(5, round)])).toBe(0);
  expect(difference(times(9, seen(1.7, 1.3)))).toBeCloseTo(0.4, 9);
  expect(difference(times(9, seen(2, 1, { theta: 0.3 + Math.PI / 2 })))).toBe(0);
});

it("is as narrow as the sharpest region, but for what that may be wrong by", () => {
  const whole = seen(1.5, 1.5);
  const width = (regions: Prediction[]) => oneBlur(whole, regions).sigma1;
  expect(width([seen(2, 2), seen(1.6, 1.6)])).toBeCloseTo(1.5, 9);
  expect(width([seen(2, 2), seen(1.2, 1.2), seen(1.4, 1.4)])).toBeCloseTo(1.2 + 0.08, 9);
  expect(width([seen(1.2, 1.2, { error: 0.5 })])).toBeCloseTo(1.5, 9);
});
