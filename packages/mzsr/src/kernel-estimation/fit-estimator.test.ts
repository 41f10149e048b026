/** Estimators fitted to samples whose features say everything, and those that were fitted before. */
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { Draws } from "../random/draws.js";
import { decodeEstimator, encodeEstimator, estimateRoot, expectedError, type KernelEstimator } from "./estimator.js";
import { FEATURES } from "./features.js";
import { fitEstimatorPart, type PhotoSample, widthError } from "./fit-estimator.js";
import { fitRegression } from "./fit-regression.js";
import { predict } from "./regression.js";

const identity = (length: number) => Int32Array.from({ length }, (_, i) => i);

describe("a regression", () => {
  const draws = () => new Draws(5, [0, 0, 0]);
  const rows = (count: number, y: (x: Float64Array) => number) => {
    const source = new Draws(3, [0, 0, 0]);
    const x = Array.from({ length: count }, () => Float64Array.from({ length: 3 }, () => source.uniform(-1, 1)));
    return { x, y: x.map((row) => Float64Array.of(y(row))) };
  };

  it("finds a linear rule", () => {
    const examples = rows(200, ([a, b, c]) => 2 * a! - b! + 0.5 * c! + 3);
    const fitted = fitRegression(examples, { ridge: 1e-6, hidden: 0, epochs: 0, draws: draws() });
    expect(predict(fitted, Float64Array.of(0.3, -0.2, 0.8), identity(3))[0]).toBeCloseTo(4.2, 4);
  });

  it("finds what is not linear with hidden units, and the same for the same seed", () => {
    const examples = rows(800, ([a, b]) => a! * b!);
    const wrong = (hidden: number) => {
      const fitted = fitRegression(examples, { ridge: 1, hidden, epochs: 150, draws: draws() });
      const errors = examples.x.map((x, i) => Math.abs(predict(fitted, x, identity(3))[0]! - examples.y[i]![0]!));
      return { fitted, error: errors.reduce((sum, error) => sum + error, 0) / errors.length };
    };
    expect(wrong(16).error).toBeLessThan(wrong(0).error / 3);
    expect(wrong(16).fitted).toEqual(wrong(16).fitted);
  });
});

describe("an estimator", () => {
  const part = fitEstimatorPart(samplesOf(16, 6), 1);

  it("finds widths and direction, of photos that it was not fitted to as well", () => {
    const unseen = samplesOf(4, 6, 100);
    const errors = unseen.map(({ features, root }) => widthError(estimateRoot(part, features), root));
    expect(Math.max(...errors)).toBeLessThan(0.15);
    for (const { features, root } of unseen)
      expect(Math.abs(estimateRoot(part, features).xy - root.xy)).toBeLessThan(0.15);
  });

  it("expects the errors that it makes, to an order", () => {
    const expected = samplesOf(4, 6, 100).map(({ features }) => expectedError(part, features));
    expect(Math.min(...expected)).toBeGreaterThan(0);
    expect(Math.max(...expected)).toBeLessThan(0.3);
  });

  it("comes back from its file as it was", () => {
    const estimator: KernelEstimator = { parts: new Map([["x2-direct", part]]), metadata: { photos: "16" } };
    expect(decodeEstimator(encodeEstimator(estimator), "file")).toEqual(estimator);
  });

  it("is refused when its file is another kind of file, or lacks a tensor", () => {
    const estimator: KernelEstimator = { parts: new Map([["x2-direct", { ...part, members: [] }]]), metadata: {} };
    expect(() => decodeEstimator(encodeEstimator(estimator), "file")).toThrow(InputError);
    expect(() => decodeEstimator(new Uint8Array(100), "file")).toThrow(InputError);
  });
});

/** Features that are noise but for a few, which say what the blur is along each axis and each diagonal. */
function samplesOf(photos: number, kernels: number, first = 0): PhotoSample[] {
  return Array.from({ length: photos * kernels }, (_, i) => {
    const photo = first + Math.floor(i / kernels);
    const draws = new Draws(9, [photo, i, 0]);
    const features = Float64Array.from({ length: FEATURES }, () => 0.01 * draws.normal());
    const root = { xx: draws.uniform(0.5, 2), yy: draws.uniform(0.5, 2), xy: draws.uniform(-0.2, 0.2) };
    const perDirection = 16;
    const edges = FEATURES - 4 * perDirection;
    const along = [root.xx, root.yy, (root.xx + root.yy) / 2 + root.xy, (root.xx + root.yy) / 2 - root.xy];
    along.forEach((width, d) => {
      for (let f = 0; f < perDirection; f++) features[edges + d * perDirection + f]! += width;
    });
    return { photo, features, root };
  });
}
