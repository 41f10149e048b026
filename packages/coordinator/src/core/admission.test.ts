import { describe, expect, it } from "vitest";
import { smallOutcome } from "../testing/core-harness.js";
import { validateResult, validateWorker } from "./admission.js";

const PLACE = { stage: "metaTraining", step: 4, index: 1 } as const;
const TASK = { ...PLACE } as Parameters<typeof validateResult>[1];
const GOOD = smallOutcome(PLACE);
const RULES = { size: 3, lossCounts: { support: 1, query: 2 }, maxGradientNorm: 100 };

describe("a result", () => {
  it("counts when it is what the lease asked for", () => {
    expect(validateResult(GOOD, TASK, RULES)).toBeUndefined();
  });

  it.each([
    ["another step", { step: 5 }, "task", "is for metaTraining step 5 task 1, not metaTraining step 4 task 1"],
    ["another index", { index: 0 }, "task", "task 0, not"],
    ["another stage", { stage: "pretraining" as const }, "task", "is for pretraining"],
    ["a wrong size", { gradient: new Float32Array(2) }, "size", "has 2 elements, not 3"],
    ["NaN", { gradient: Float32Array.of(1, Number.NaN, 1) }, "not-finite", "is NaN at element 1"],
    [
      "infinity",
      { gradient: Float32Array.of(Number.NEGATIVE_INFINITY, 1, 1) },
      "not-finite",
      "is -Infinity at element 0",
    ],
    ["a huge norm", { gradient: Float32Array.of(0, 101, 0) }, "norm", "norm 101.0, above the bound 100"],
    ["an element beyond 2^20", { gradient: Float32Array.of(0, 0, -(2 ** 21)) }, "element", "is -2097152 at element 2"],
    ["missing losses", { queryLosses: [1] }, "losses", "has 1 support and 1 query losses, not 1 and 2"],
    ["a loss that is no number", { supportLosses: [Number.NaN] }, "not-finite", "has a loss that is NaN"],
  ])("with %s is refused with the reason", (_, change, code, reason) => {
    const rejection = validateResult({ ...GOOD, ...change }, TASK, RULES);
    expect(rejection?.code).toBe(code);
    expect(rejection?.reason).toContain(reason);
  });
});

describe("a worker", () => {
  const hello = { worker: "w", backend: "cuda" } as Parameters<typeof validateWorker>[0];

  it("of another backend is told which one the run needs", () => {
    const reason = validateWorker(hello, { backend: "simd", mixed: false });
    expect(reason).toContain("computes on the backend simd and w offers cuda");
    expect(reason).toContain("--backend simd");
  });

  it("fits while the backend is open, where it is the same, and where backends may be mixed", () => {
    expect(validateWorker(hello, { backend: undefined, mixed: false })).toBeUndefined();
    expect(validateWorker(hello, { backend: "cuda", mixed: false })).toBeUndefined();
    expect(validateWorker(hello, { backend: "simd", mixed: true })).toBeUndefined();
  });
});
