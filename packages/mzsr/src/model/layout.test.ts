import { expect, it } from "vitest";
import { initialParameters } from "./initial.js";
import { metaLayout, parameterLayout } from "./layout.js";

const PAPER = { depth: 8, width: 64 };

it("has the paper's 225,091 parameters, kernels before their biases", () => {
  const { entries, size } = parameterLayout(PAPER);
  expect(size).toBe(225_091);
  expect(entries.slice(0, 3).map(({ name, shape, offset }) => [name, shape, offset])).toEqual([
    ["conv1/kernel", [3, 3, 3, 64], 0],
    ["conv1/bias", [64], 1728],
    ["conv2/kernel", [3, 3, 64, 64], 1792],
  ]);
  expect(entries.at(-1)).toEqual({ name: "conv8/bias", shape: [3], offset: 225_088, size: 3 });
});

it("puts one log rate per tensor and inner step after the network", () => {
  const { entries, size } = metaLayout(PAPER, 2, true);
  expect(size).toBe(225_091 + 2 * 16);
  expect(entries.at(-1)).toEqual({ name: "inner_rate/1", shape: [16], offset: 225_107, size: 16 });
  expect(metaLayout(PAPER, 2, false)).toEqual(parameterLayout(PAPER));
});

it("starts kernels He-normal, the last one small, biases at 0 and rates at their logarithm", () => {
  const draws = { normal: () => 1 };
  const state = initialParameters({ depth: 3, width: 8 }, draws, { innerSteps: 2, innerRate: 0.02 });
  const { entries } = metaLayout({ depth: 3, width: 8 }, 2, true);
  const [first, bias, second, , last, , rates] = entries.map(({ offset }) => state[offset]);
  expect(first).toBeCloseTo(Math.sqrt(2 / 27), 6);
  expect(bias).toBe(0);
  expect(second).toBeCloseTo(Math.sqrt(2 / 72), 6);
  expect(last).toBeCloseTo(0.1 * Math.sqrt(2 / 72), 6);
  expect(rates).toBeCloseTo(Math.log(0.02), 6);
  expect(state).toHaveLength(metaLayout({ depth: 3, width: 8 }, 2, true).size);
});
