import { expect, it } from "vitest";
import { lineChart, smoothed } from "./line-chart.js";

const labels = { title: "Loss <L1>", xLabel: "step", yLabel: "loss" };

it("draws one line for each series, within the frame", () => {
  const points = Array.from({ length: 1000 }, (_, i): [number, number] => [i, 1 / (i + 1)]);
  const svg = lineChart(
    [
      { name: "before", points },
      { name: "after", points: points.slice(0, 10) },
    ],
    labels,
  );
  const lines = [...svg.matchAll(/points="([^"]+)"/g)].map((match) => match[1]!.split(" "));
  expect(lines.map((line) => line.length)).toEqual([334, 10]);
  for (const [x, y] of lines.flat().map((pair) => pair.split(",").map(Number))) {
    expect(x).toBeGreaterThanOrEqual(64);
    expect(x).toBeLessThanOrEqual(624);
    expect(y).toBeGreaterThanOrEqual(16);
    expect(y).toBeLessThanOrEqual(236);
  }
  expect(svg).toContain("Loss &lt;L1&gt;");
});

it("draws nothing of nothing, and one point or a flat line without NaN", () => {
  expect(lineChart([{ name: "empty", points: [] }], labels)).toBe("");
  expect(lineChart([{ name: "one", points: [[1, 0.5]] }], labels)).not.toContain("NaN");
  expect(
    lineChart(
      [
        {
          name: "flat",
          points: [
            [1, 0.5],
            [2, 0.5],
          ],
        },
      ],
      labels,
    ),
  ).not.toContain("NaN");
});

it("smooths over the values before", () => {
  expect(
    smoothed(
      [
        [1, 2],
        [2, 4],
        [3, 9],
      ],
      2,
    ),
  ).toEqual([
    [1, 2],
    [2, 3],
    [3, 6.5],
  ]);
});

it("has a logarithmic axis of time and a linear one of quality where that is wished", () => {
  const points = [0.1, 1, 10, 100].map((x): [number, number] => [x, 30 + Math.log10(x)]);
  const svg = lineChart([{ name: "one", points }], { ...labels, xAxis: "logarithmic", yAxis: "linear" });
  const line = /points="([^"]+)"/
    .exec(svg)![1]!
    .split(" ")
    .map((pair) => pair.split(",").map(Number));
  // Equal ratios are equal distances, and so are equal differences.
  const steps = [1, 2, 3].map((i) => [line[i]![0]! - line[i - 1]![0]!, line[i]![1]! - line[i - 1]![1]!]);
  for (const [x, y] of steps)
    expect([x, y]).toEqual([expect.closeTo(steps[0]![0]!, 0), expect.closeTo(steps[0]![1]!, 0)]);
  expect(svg).toMatch(/>0\.1<[\s\S]*>10</);
});
