import { describe, expect, it } from "vitest";
import { smallReport } from "../testing/core-harness.js";
import { validateReport, validateWorker } from "./admission.js";

const PLACE = { stage: "metaTraining", step: 4, index: 1 } as const;
const TASK = { ...PLACE } as Parameters<typeof validateReport>[1];
const GOOD = smallReport(PLACE);
const COUNTS = { support: 1, query: 2 };

describe("a result", () => {
  it("counts when it is what the lease asked for", () => {
    expect(validateReport(GOOD, TASK, COUNTS)).toBeUndefined();
  });

  it.each([
    ["another step", { step: 5 }, "task", "is for metaTraining step 5 task 1, not metaTraining step 4 task 1"],
    ["another index", { index: 0 }, "task", "task 0, not"],
    ["another stage", { stage: "pretraining" as const }, "task", "is for pretraining"],
    ["missing losses", { queryLosses: [1] }, "losses", "has 1 support and 1 query losses, not 1 and 2"],
    ["a loss that is no number", { supportLosses: [Number.NaN] }, "not-finite", "has a loss that is NaN"],
  ])("with %s is refused with the reason", (_, change, code, reason) => {
    const rejection = validateReport({ ...GOOD, ...change }, TASK, COUNTS);
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
