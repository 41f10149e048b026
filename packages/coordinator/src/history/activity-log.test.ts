import type { WorkerStatus } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { ActivityLog } from "./activity-log.js";

function worker(name: string, busySlots: number, state: WorkerStatus["state"] = "active"): WorkerStatus {
  return {
    worker: name,
    state,
    reason: "",
    backend: "simd",
    slots: 2,
    busySlots,
    host: "here",
    metricsAddress: "",
    tasksDone: 0,
    tasksFailed: 0,
    secondsPerTask: null,
    lastHeartbeatAgoSeconds: null,
    since: 0,
  };
}

describe("ActivityLog", () => {
  it("averages the samples of a span and leaves gaps where a worker was away", () => {
    const log = new ActivityLog({ spanSeconds: 5, spans: 4 });
    log.sample({ workers: [worker("a", 2)] }, 100_000);
    log.sample({ workers: [worker("a", 1), worker("b", 1)] }, 101_000);
    log.sample({ workers: [worker("a", 2, "lost"), worker("b", 2)] }, 106_000);
    expect(log.columns(107_000)).toEqual({
      from: 90_000,
      spanSeconds: 5,
      workers: [
        { worker: "a", busy: [null, null, 0.75, null] },
        { worker: "b", busy: [null, null, 0.5, 1] },
      ],
    });
  });

  it("forgets what is older than its stretch, and workers with nothing left", () => {
    const log = new ActivityLog({ spanSeconds: 1, spans: 3 });
    log.sample({ workers: [worker("a", 1)] }, 1000);
    for (let second = 2; second <= 5; second++) log.sample({ workers: [worker("b", 2)] }, 1000 * second);
    expect(log.columns(5000).workers).toEqual([{ worker: "b", busy: [1, 1, 1] }]);
  });

  it("remembers only so many of the workers that come and go, and everybody who is connected", () => {
    const log = new ActivityLog({ spanSeconds: 1, spans: 100, mostDeparted: 3 });
    const stay = Array.from({ length: 5 }, (_, n) => worker(`stays-${n}`, 1));
    for (let second = 1; second <= 60; second++) {
      log.sample({ workers: [...stay, worker(`visitor-${second}`, 2)] }, 1000 * second);
    }
    const names = log.columns(60_000).workers.map((lane) => lane.worker);
    expect(names.filter((name) => name.startsWith("stays"))).toHaveLength(5);
    // The newest two count as connected.
    expect(names.filter((name) => name.startsWith("visitor"))).toEqual([56, 57, 58, 59, 60].map((n) => `visitor-${n}`));
  });

  it("tells of chosen workers alone, and of a worker that was away for a part of its stretch", () => {
    const log = new ActivityLog({ spanSeconds: 1, spans: 4 });
    log.sample({ workers: [worker("a", 1), worker("b", 2)] }, 1000);
    log.sample({ workers: [worker("b", 2)] }, 2000);
    log.sample({ workers: [worker("a", 2), worker("b", 2)] }, 4000);
    expect(log.columns(4000, ["a", "nobody", "a"]).workers).toEqual([{ worker: "a", busy: [0.5, null, null, 1] }]);
    log.sample({ workers: [worker("a", 0)] }, 6000);
    expect(log.columns(6000, ["a"]).workers).toEqual([{ worker: "a", busy: [null, 1, null, 0] }]);
  });
});
