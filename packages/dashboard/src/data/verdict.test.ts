import { StepHistory } from "@mzsr/coordinator";
import { describe, expect, it } from "vitest";
import { trendOf, verdictOf } from "./verdict.js";

/** Deterministic noise in [−1, 1]. */
const noise = (at: number) => Math.sin(at * 12.9898) * Math.cos(at * 78.233);

function historyOf(steps: number, queryLosses: (step: number) => [number, number]) {
  const history = new StepHistory();
  for (let step = 1; step <= steps; step++) {
    history.append({
      step,
      stage: "metaTraining",
      stageStep: step,
      supportLosses: [0.1],
      queryLosses: queryLosses(step),
      gradientNorm: 1,
      learningRate: 1e-4,
      stepWeights: [1],
      seconds: 1,
      tasks: 5,
      workers: 2,
      thetaSha256: "",
    });
  }
  return history.columns("a");
}

describe("trendOf", () => {
  it("tells a fall from noise", () => {
    const falling = Array.from({ length: 100 }, (_, at) => 1 - at / 200 + 0.02 * noise(at));
    const level = Array.from({ length: 100 }, (_, at) => 1 + 0.2 * noise(at));
    expect(trendOf(falling)).toBe("falling");
    expect(trendOf(falling.toReversed())).toBe("rising");
    expect(trendOf(level)).toBe("level");
  });

  it("says nothing about too few values", () => {
    expect(trendOf([3, 2, 1])).toBeUndefined();
  });
});

describe("verdictOf", () => {
  it("says yes when adaptation helps and the loss falls", () => {
    const { tone, sentence } = verdictOf(
      historyOf(200, (step) => [1 - step / 400, 0.8 * (1 - step / 400)]),
      "metaTraining",
    );
    expect(tone).toBe("good");
    expect(sentence).toBe("Yes: adaptation removes 20\u00a0% of the loss, and what is left is still falling.");
  });

  it("says that adaptation does harm", () => {
    const { tone, sentence } = verdictOf(
      historyOf(200, () => [0.5, 0.6]),
      "metaTraining",
    );
    expect(tone).toBe("bad");
    expect(sentence).toContain("raises the loss by 20\u00a0%");
  });

  it("says that it has levelled off", () => {
    const { tone, sentence } = verdictOf(
      historyOf(200, (step) => [0.5 + 0.05 * noise(step), 0.4 + 0.05 * noise(step + 7)]),
      "metaTraining",
    );
    expect(tone).toBe("neutral");
    expect(sentence).toContain("levelled off");
  });

  it("does not judge a handful of steps", () => {
    expect(
      verdictOf(
        historyOf(4, () => [1, 0.5]),
        "metaTraining",
      ).sentence,
    ).toBe("Too early to tell.");
  });
});
