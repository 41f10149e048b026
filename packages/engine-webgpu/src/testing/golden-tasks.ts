import { readFileSync } from "node:fs";
import type { PatchPairs } from "@mzsr/mzsr";
import type { EngineTask } from "../engine.js";
import type { TaskShape } from "../plan/meta-plan.js";

interface GoldenArray {
  readonly shape: number[];
  readonly data: number[];
}

interface GoldenCase {
  readonly width: number;
  readonly depth: number;
  readonly inner_steps: number;
  readonly inner_lr?: number;
  readonly first_order?: boolean;
  readonly step_weights: number[];
  readonly params: Record<string, GoldenArray>;
  readonly log_rates?: Record<string, number>[];
  readonly support_x: GoldenArray;
  readonly support_y: GoldenArray;
  readonly query_x: GoldenArray;
  readonly query_y: GoldenArray;
  readonly support_losses?: number[];
  readonly query_losses?: number[];
  readonly outer_loss: number;
  readonly meta_gradient: Record<string, GoldenArray>;
  readonly log_rate_gradient?: Record<string, number>[];
}

/** A task whose meta-gradient an independent float64 implementation has computed. */
export interface GoldenTask {
  readonly name: string;
  readonly shape: TaskShape;
  readonly task: EngineTask;
  /** By tensor, in layout order; last, with learned rates, the rates' gradient. */
  readonly gradient: readonly (readonly number[])[];
  readonly supportLosses: readonly number[] | undefined;
  /** At θ_1 … θ_T. */
  readonly queryLosses: readonly number[] | undefined;
  readonly outerLoss: number;
}

const GOLDEN = new URL("../../../../test/golden/", import.meta.url);

/**
 * The cases of `meta_gradient.json`, then those with learned rates.
 *
 * @param folder URL of `test/golden/`
 */
export function goldenTasks(folder = GOLDEN): GoldenTask[] {
  return ["meta_gradient", "meta_gradient_learned_rates"].flatMap((file) => {
    const text = readFileSync(new URL(`${file}.json`, folder), "utf8");
    return (JSON.parse(text) as { cases: GoldenCase[] }).cases.map(goldenTask);
  });
}

function goldenTask(golden: GoldenCase): GoldenTask {
  const tensors = Object.keys(golden.params);
  const learnedRates = golden.log_rates !== undefined;
  const inOrder = (steps: Record<string, number>[] = []) => steps.flatMap((step) => tensors.map((t) => step[t]!));
  const patches = ({ shape: [count, height, width] }: GoldenArray) => ({
    patches: count!,
    height: height!,
    width: width!,
  });
  const order = golden.first_order === true ? 1 : 2;
  const { depth, width, inner_steps: innerSteps } = golden;
  const parameters = Object.values(golden.params).flatMap(({ data }) => data);
  const gradient = Object.values(golden.meta_gradient).map(({ data }) => data);
  return {
    name: `depth ${depth}, width ${width}, ${innerSteps} inner steps${learnedRates ? ", learned rates" : ""}${order === 1 ? ", first order" : ""}`,
    shape: {
      ...{ architecture: { depth, width }, innerSteps, order, learnedRates },
      ...{ support: patches(golden.support_x), query: patches(golden.query_x) },
    },
    task: {
      theta: Float32Array.from([...parameters, ...inOrder(golden.log_rates)]),
      ...(golden.inner_lr === undefined ? {} : { innerRate: golden.inner_lr }),
      stepWeights: golden.step_weights,
      support: pairs(golden.support_x, golden.support_y),
      query: pairs(golden.query_x, golden.query_y),
    },
    gradient: learnedRates ? [...gradient, inOrder(golden.log_rate_gradient)] : gradient,
    supportLosses: golden.support_losses,
    queryLosses: golden.query_losses,
    outerLoss: golden.outer_loss,
  };
}

function pairs(x: GoldenArray, y: GoldenArray): PatchPairs {
  const shape = x.shape as [number, number, number, number];
  return { shape, x: Float32Array.from(x.data), y: Float32Array.from(y.data) };
}

/** Another task of the same shape: parameters and images a little off. */
export function varied({ theta, support, query, ...rest }: EngineTask, by: number): EngineTask {
  const shift = (values: Float32Array, scale: number) =>
    values.map((value, i) => value + scale * Math.sin(by * (i + 1)));
  const shifted = ({ shape, x, y }: PatchPairs) => ({ shape, x: shift(x, 0.1), y: shift(y, 0.1) });
  return { ...rest, theta: shift(theta, 0.02), support: shifted(support), query: shifted(query) };
}

/** ‖actual − expected‖ / ‖expected‖. */
export function relativeL2(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / (norm === 0 ? 1 : norm));
}
