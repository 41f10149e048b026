import { downloadWeights, forward, metaGradient, metaLayout, type PatchPairs, uploadWeights } from "@mzsr/mzsr";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@mzsr/tfjs-backend-simd";
import { type GoldenArray, readGolden, relativeL2 } from "@mzsr/testing/golden";
import { beforeAll, describe, expect, it } from "vitest";
import { BACKENDS } from "./problems.js";

interface Case {
  width: number;
  depth: number;
  inner_steps: number;
  inner_lr: number;
  first_order: boolean;
  step_weights: number[];
  params: Record<string, GoldenArray>;
  support_x: GoldenArray;
  support_y: GoldenArray;
  query_x: GoldenArray;
  query_y: GoldenArray;
  forward_support: GoldenArray;
  support_losses: number[];
  query_losses: number[];
  outer_loss: number;
  meta_gradient: Record<string, GoldenArray>;
}

interface LearnedRatesCase extends Omit<Case, "support_losses" | "query_losses" | "forward_support"> {
  log_rates: Record<string, number>[];
  log_rate_gradient: Record<string, number>[];
}

const cases = readGolden<{ cases: Case[] }>("meta_gradient").cases;
const learnedRatesCases = readGolden<{ cases: LearnedRatesCase[] }>("meta_gradient_learned_rates").cases;
const nameOf = (c: { depth: number; width: number; inner_steps: number }, more = "") =>
  `depth ${c.depth}, width ${c.width}, ${c.inner_steps} inner steps${more}`;

describe.each(BACKENDS)("on backend %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  describe.each(cases.map((c) => [nameOf(c, c.first_order ? ", first order" : ""), c] as const))("%s", (_, golden) => {
    it("computes the forward pass of the reference", async () => {
      const weights = uploadWeights(golden, flat(golden.params));
      const { shape, data } = golden.support_x;
      const output = forward(weights, tf.tensor(data, shape));
      expect(relativeL2(await downloadWeights([output]), golden.forward_support.data)).toBeLessThan(1e-5);
      tf.dispose([weights, output]);
    });

    it("computes the meta-gradient and the losses of the reference", async () => {
      const result = await metaGradient({ ...problemOf(golden), theta: flat(golden.params), learnedRates: false });
      expectTensors(result.gradient, golden, golden.meta_gradient);
      expect(relativeL2(result.supportLosses, golden.support_losses)).toBeLessThan(1e-5);
      expect(relativeL2(result.queryLosses.slice(1), golden.query_losses)).toBeLessThan(1e-5);
      expect(result.outerLoss).toBeCloseTo(golden.outer_loss, 5);
    });
  });

  it.each(learnedRatesCases.map((c) => [nameOf(c), c] as const))("learns inner rates: %s", async (_, golden) => {
    const tensors = Object.keys(golden.params);
    const inTensorOrder = (steps: Record<string, number>[]) => steps.flatMap((step) => tensors.map((t) => step[t]!));
    const theta = Float32Array.from([...flat(golden.params), ...inTensorOrder(golden.log_rates)]);
    const result = await metaGradient({ ...problemOf(golden), theta, learnedRates: true });
    expectTensors(result.gradient, golden, golden.meta_gradient);
    const networkSize = theta.length - golden.inner_steps * tensors.length;
    for (let step = 0; step < golden.inner_steps; step++) {
      const start = networkSize + step * tensors.length;
      const actual = result.gradient.subarray(start, start + tensors.length);
      expect(relativeL2(actual, inTensorOrder([golden.log_rate_gradient[step]!]))).toBeLessThan(1e-4);
    }
    expect(result.outerLoss).toBeCloseTo(golden.outer_loss, 5);
  });
});

function problemOf(golden: Omit<Case, "support_losses" | "query_losses" | "forward_support">) {
  const pairs = (x: GoldenArray, y: GoldenArray): PatchPairs => ({
    shape: x.shape as [number, number, number, number],
    x: Float32Array.from(x.data),
    y: Float32Array.from(y.data),
  });
  return {
    architecture: { depth: golden.depth, width: golden.width },
    innerRate: golden.inner_lr,
    innerSteps: golden.inner_steps,
    stepWeights: golden.step_weights,
    order: golden.first_order ? 1 : 2,
    support: pairs(golden.support_x, golden.support_y),
    query: pairs(golden.query_x, golden.query_y),
  } as const;
}

function flat(params: Record<string, GoldenArray>): Float32Array {
  return Float32Array.from(Object.values(params).flatMap(({ data }) => data));
}

function expectTensors(
  state: Float32Array,
  golden: { depth: number; width: number },
  expected: Record<string, GoldenArray>,
): void {
  const { entries } = metaLayout(golden, 0, false);
  expect(entries.map(({ name }) => name)).toEqual(Object.keys(expected));
  for (const { name, offset, size, shape } of entries) {
    expect(expected[name]!.shape).toEqual(shape);
    expect(relativeL2(state.subarray(offset, offset + size), expected[name]!.data), name).toBeLessThan(1e-4);
  }
}
