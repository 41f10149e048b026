import type { WorkerStatus } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { inOrder, laneOf } from "./timeline.js";

const ACTIVITY = {
  from: 100_000,
  spanSeconds: 5,
  workers: [
    { worker: "a", busy: [null, 0.5, 1, 1] },
    { worker: "b", busy: [1, 1, null, null] },
  ],
};

describe("laneOf", () => {
  it("takes the mean of the time that the worker was there", () => {
    expect(laneOf("a", ACTIVITY, []).utilisation).toBeCloseTo(2.5 / 3, 12);
    expect(laneOf("nobody", ACTIVITY, [])).toEqual({ busy: [], marks: [], utilisation: null });
  });

  it("marks what happened to this worker within the stretch", () => {
    const { marks } = laneOf("a", ACTIVITY, [
      { at: 90_000, kind: "join", worker: "a", reason: "too early" },
      { at: 105_000, kind: "join", worker: "a", reason: "host" },
      { at: 110_000, kind: "lost", worker: "b", reason: "another" },
      { at: 110_000, kind: "checkpoint", reason: "nobody's" },
      { at: 115_000, kind: "quarantine", worker: "a", reason: "NaN" },
    ]);
    expect(marks.map(({ kind, position }) => [kind, position])).toEqual([
      ["join", 0.25],
      ["quarantine", 0.75],
    ]);
  });
});

describe("inOrder", () => {
  it("puts the connected first, each group by name as people count", () => {
    const worker = (name: string, state: WorkerStatus["state"]) => ({ worker: name, state }) as WorkerStatus;
    const names = inOrder([
      worker("w10", "active"),
      worker("w1", "gone"),
      worker("w3", "lost"),
      worker("w2", "quarantined"),
    ]).map((each) => each.worker);
    expect(names).toEqual(["w2", "w10", "w3", "w1"]);
  });
});
