import type { Task } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { BatchQueue } from "./batch-queue.js";

function queueOf(waiting: Readonly<Record<string, boolean>>) {
  const queue = new BatchQueue();
  for (const [lease, ready] of Object.entries(waiting)) {
    queue.add({ lease, ready, task: { stage: "metaTraining", step: Number(lease[0]) } as Task });
  }
  const next = (room: number, least = 1) => queue.next(() => room, least)?.map(({ lease }) => lease);
  return { queue, next };
}

describe("the next batch", () => {
  it("is of one step, as many as there is room for, the oldest first", () => {
    const { next } = queueOf({ "5a": true, "6a": true, "5b": true, "5c": true });
    expect([next(2), next(2), next(2), next(2)]).toEqual([["5a", "5b"], ["6a"], ["5c"], undefined]);
  });

  it("waits for the data of all leases that it has room for, and another step's does not wait for it", () => {
    const { next } = queueOf({ "5a": true, "5b": false, "6a": true });
    expect(next(2)).toEqual(["6a"]);
    expect(next(2)).toBeUndefined();
    expect(next(1)).toEqual(["5a"]);
  });

  it("does not wait for what is given up", () => {
    const { queue, next } = queueOf({ "5a": true, "5b": false });
    queue.remove("5b");
    expect(next(2)).toEqual(["5a"]);
  });

  it("has at least as many as are asked for, or as go together", () => {
    const { next } = queueOf({ "5a": true, "6a": true, "6b": true, "7a": true, "7b": true });
    expect(next(4, 2)).toEqual(["6a", "6b"]);
    expect(next(2, 3)).toEqual(["7a", "7b"]);
    expect(next(4, 2)).toBeUndefined();
    expect(next(4)).toEqual(["5a"]);
  });
});
