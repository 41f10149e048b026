import { describe, expect, it } from "vitest";
import { GroupSums, type LeasedOutcome, sha256Of } from "./results.js";

function outcomeOf(lease: string, ...gradient: number[]): LeasedOutcome {
  const report = { stage: "metaTraining", step: 0, index: 0, dataSeconds: 0, computeSeconds: 0 } as const;
  return {
    lease,
    outcome: { ...report, supportLosses: [0.5], queryLosses: [], gradient: Float32Array.from(gradient) },
  };
}

describe("several outcomes", () => {
  it("become Σ hi and Σ lo with each one's hash, for groups of any length one after the other", () => {
    const sums = new GroupSums();
    const group = sums.add([outcomeOf("a", 1, 2 ** -30), outcomeOf("b", 2, 2 ** -40)])!;
    expect(group.sum.count).toBe(2);
    expect(new Float64Array(group.sum.high.buffer)).toEqual(Float64Array.of(3, 0));
    expect(new Float64Array(group.sum.low.buffer)).toEqual(Float64Array.of(0, 2 ** -30 + 2 ** -40));
    expect(group.tasks.map(({ lease }) => lease)).toEqual(["a", "b"]);
    expect(group.tasks[0]!.sha256).toBe(sha256Of(new Uint8Array(Float32Array.of(1, 2 ** -30).buffer)));
    expect(group.tasks[0]!.report).not.toHaveProperty("gradient");
    expect(new Float64Array(sums.add([outcomeOf("c", 5)])!.sum.high.buffer)).toEqual(Float64Array.of(5));
  });

  it.each([
    ["nothing", outcomeOf("b")],
    ["another length", outcomeOf("b", 1, 2)],
    ["NaN", outcomeOf("b", Number.NaN)],
    ["an element beyond 2^20", outcomeOf("b", 2 ** 21)],
  ])("are not added up with %s", (_, bad) => {
    expect(new GroupSums().add([bad, outcomeOf("a", 1)])).toBeUndefined();
  });
});
