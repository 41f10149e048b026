import {
  Draws,
  type Loss,
  l1Loss,
  type MetaProblem,
  metaGradient,
  metaLayout,
  parameterLayout,
  squaredLoss,
} from "@mzsr/mzsr";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { relativeL2 } from "@mzsr/testing/golden";
import { simdMemory } from "@mzsr/tfjs-backend-simd";
import { beforeAll, describe, expect, it } from "vitest";
import { BACKENDS, randomProblem } from "./problems.js";

const allocated = () => ({
  tensors: tf.memory().numTensors,
  bytes: tf.memory().numBytes,
  simd: simdMemory().usedBytes,
});

describe.each(BACKENDS)("the meta-gradient on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it.each([false, true])(
    "agrees with finite differences on a smooth loss (learned rates: %s)",
    async (learnedRates) => {
      const problem = awayFromKinks(randomProblem({ loss: squaredLoss, innerRate: 0.1, learnedRates, innerSteps: 2 }));
      const { gradient } = await metaGradient(problem);
      const { gradient: firstOrder } = await metaGradient({ ...problem, order: 1 });
      const draws = new Draws(3, [0, 0, 0]);
      let firstOrderFails = false;
      for (const { name, offset, size } of metaLayout(problem.architecture, 2, learnedRates).entries) {
        const part = gradient.subarray(offset, offset + size);
        // Half along the gradient, half at random, so that the derivative stands out of float32's noise.
        const norm = Math.hypot(...part);
        const direction = Array.from(part, (g) => g / norm + draws.normal() / Math.sqrt(size));
        const numeric = await directionalDerivative(problem, offset, direction);
        const analytic = dot(part, direction);
        expect(Math.abs(analytic - numeric) / Math.abs(numeric), name).toBeLessThan(0.01);
        const first = dot(firstOrder.subarray(offset, offset + size), direction);
        if (Math.abs(first - numeric) / Math.abs(numeric) > 0.05) firstOrderFails = true;
      }
      expect(firstOrderFails).toBe(true);
    },
  );

  it("needs no more memory for more inner steps than their parameters", async () => {
    const bytes = async (innerSteps: number) => peakBytes(randomProblem({ innerSteps, patchSide: 16 }));
    const [two, four] = [await bytes(2), await bytes(4)];
    const parameters = 4 * parameterLayout({ depth: 3, width: 5 }).size;
    const losses = 4 * 2;
    const activationsOfAStep = 4 * 2 * (2 * 16 * 17 * 5);
    expect(activationsOfAStep).toBeGreaterThan(2 * (2 * parameters + 2 * losses));
    expect(four - two).toBeLessThanOrEqual(2 * parameters + 2 * losses);
  });

  it("gives the same bits however many steps' activations it keeps", async () => {
    const problem = randomProblem({ learnedRates: true, innerSteps: 4 });
    const reference = await metaGradient(problem);
    for (const keptSteps of [0, 2, 4]) expect(await metaGradient({ ...problem, keptSteps })).toEqual(reference);
  });

  it("gives the same bits each time", async () => {
    const problem = randomProblem();
    expect(await metaGradient(problem)).toEqual(await metaGradient(problem));
  });

  it("spares the query passes whose weight is 0, and says which losses it left out", async () => {
    const { gradient, queryLosses } = await metaGradient(randomProblem({ stepWeights: [0, 0, 1] }));
    const nearly = await metaGradient(randomProblem({ stepWeights: [1e-30, 1e-30, 1] }));
    expect(relativeL2(gradient, nearly.gradient)).toBeLessThan(1e-6);
    expect(queryLosses.map(Number.isFinite)).toEqual([true, false, false, true]);
    expect(queryLosses[3]).toBe(nearly.queryLosses[3]);
    const { queryLosses: without } = await metaGradient(randomProblem({ reportInitialQueryLoss: false }));
    expect(without.map(Number.isFinite)).toEqual([false, true, true, true]);
  });

  it("is zero, with the last loss, where no query counts", async () => {
    const { gradient, queryLosses, outerLoss } = await metaGradient(randomProblem({ stepWeights: [0, 0, 0] }));
    expect(gradient.every((value) => value === 0)).toBe(true);
    expect(queryLosses[3]).toBeGreaterThan(0);
    expect(outerLoss).toBe(0);
  });

  it.each([1, 2] as const)("leaves nothing allocated (order %s)", async (order) => {
    const before = allocated();
    for (const learnedRates of [false, true]) await metaGradient(randomProblem({ order, learnedRates }));
    expect(allocated()).toEqual(before);
  });

  it.each([1, 3, 4, 6, 8])("leaves nothing allocated after an error at its loss gradient %s", async (failing) => {
    const before = allocated();
    await expect(metaGradient(randomProblem({ loss: failingAt(failing) }))).rejects.toThrow("in the middle");
    expect(allocated()).toEqual(before);
  });

  it("refuses arrays of another size before it computes", async () => {
    const problem = randomProblem();
    const before = allocated();
    await expect(metaGradient({ ...problem, theta: problem.theta.subarray(1) })).rejects.toThrow("theta");
    await expect(metaGradient({ ...problem, stepWeights: [1] })).rejects.toThrow("stepWeights");
    const short = { ...problem.query, y: problem.query.y.subarray(3) };
    await expect(metaGradient({ ...problem, query: short })).rejects.toThrow("query.y");
    expect(allocated()).toEqual(before);
  });
});

/**
 * Hidden biases so far from 0 that no ReLU changes its state nearby: half of the channels on, half off. Elsewhere the
 * gradient jumps, and finite differences see the jumps, which are no part of the derivative.
 */
function awayFromKinks(problem: MetaProblem): MetaProblem {
  const theta = problem.theta.slice();
  const { depth } = problem.architecture;
  for (const { name, offset, size } of parameterLayout(problem.architecture).entries) {
    if (!name.endsWith("/bias") || name === `conv${depth}/bias`) continue;
    for (let i = 0; i < size; i++) theta[offset + i] = i % 2 === 0 ? 1.5 : -3;
  }
  // Kernels small enough that the signals stay near the biases.
  for (const { name, offset, size } of parameterLayout(problem.architecture).entries) {
    if (name.endsWith("/kernel")) for (let i = offset; i < offset + size; i++) theta[i]! *= 0.2;
  }
  return { ...problem, theta };
}

async function directionalDerivative(problem: MetaProblem, offset: number, direction: number[]): Promise<number> {
  const step = 3e-3 / Math.hypot(...direction);
  const at = async (sign: number) => {
    const theta = problem.theta.slice();
    direction.forEach((d, i) => {
      theta[offset + i]! += sign * step * d;
    });
    return (await metaGradient({ ...problem, order: 1, theta })).outerLoss;
  };
  return ((await at(1)) - (await at(-1))) / (2 * step);
}

async function peakBytes(problem: MetaProblem): Promise<number> {
  const before = tf.memory().numBytes;
  const profile = await tf.profile(async () => {
    await metaGradient(problem);
    return [];
  });
  return profile.peakBytes - before;
}

/** L1 that fails when its gradient is asked for the n-th time. */
function failingAt(n: number): Loss {
  let calls = 0;
  return {
    ...l1Loss,
    gradient(prediction, target, weight) {
      calls++;
      if (calls === n) throw new Error("an error in the middle");
      return l1Loss.gradient(prediction, target, weight);
    },
  };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
