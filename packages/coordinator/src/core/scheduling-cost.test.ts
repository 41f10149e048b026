/**
 * What one event costs the core must not grow with the cluster: neither with its workers nor with its leases. Counted, not
 * timed: how often the core looks at a worker (its slots, its backend) or at a task (its step, its stage).
 */
import type { Task } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { CoreHarness, type HarnessOptions, smallTask } from "../testing/core-harness.js";
import type { RunSchedule } from "./schedule.js";

const FEW = 16;
const MANY = 1024;
/** It is 1; one walk over all workers or tasks at each event makes it 20 at least. */
const MOST_GROWTH = 2;

class Looks {
  count = 0;

  /** The same, but each look at one of the properties is counted. */
  counted<T extends object>(value: T, ...names: readonly (keyof T)[]): T {
    const copy = { ...value };
    for (const name of names) {
      Object.defineProperty(copy, name, {
        enumerable: true,
        get: () => {
          this.count++;
          return value[name];
        },
      });
    }
    return copy;
  }
}

interface Circumstances {
  readonly slots?: number;
  /** Workers for each task. */
  readonly workersPerTask?: number;
  readonly cluster?: HarnessOptions["cluster"];
  /** Every so manieth worker never answers. */
  readonly hangs?: number;
}

/** Looks per result, heartbeat and tick, in a cluster in which every worker answers once a step. */
function looksPerEvent(workers: number, { slots = 1, workersPerTask = 1, cluster = {}, hangs }: Circumstances): number {
  const looks = new Looks();
  const tasks = (workers * slots) / workersPerTask;
  const harness = new CoreHarness({ tasks, steps: 4, cluster, drawTask: countedTask(looks) });
  const joined = Array.from({ length: workers }, (_, i) => {
    const incarnation = `${i}`;
    return harness.join(
      `worker-${i}`,
      looks.counted({ ...HELLO, worker: `worker-${i}`, incarnation, slots }, "slots", "backend"),
    );
  });
  const answering = joined.filter((_, i) => hangs === undefined || i % hangs !== 0);
  let events = 0;
  looks.count = 0;
  for (let round = 0; round < 3 * slots; round++) {
    for (const worker of answering) {
      harness.nowMs += 1000 / workers;
      harness.send({
        type: "heartbeat",
        worker: worker.name,
        incarnation: worker.incarnation,
        via: "nats",
        busySlots: 1,
      });
      if (worker.leases.length > 0) harness.answer(worker);
      harness.core.nextWakeMs(harness.nowMs);
      events += 2;
    }
  }
  expect(harness.ends.length).toBeGreaterThan(tasks);
  return looks.count / events;
}

const HELLO = { backend: "simd", host: "host", version: "0", metricsAddress: "" } as const;

function countedTask(looks: Looks): (step: number, index: number) => Task {
  const schedule = { stageOf: () => "metaTraining", parametersStepOf: (step: number) => step, stepWeights: () => [] };
  return (step, index) => looks.counted(smallTask(schedule as unknown as RunSchedule, step, index), "step", "stage");
}

describe("an event costs no more among a thousand workers than among a few", () => {
  it.each<[string, Circumstances]>([
    ["with a task for each worker", {}],
    ["with several slots", { slots: 4 }],
    ["with more workers than tasks", { workersPerTask: 2 }],
    ["where a tenth of the tasks is audited", { cluster: { auditShare: 0.1 } }],
    ["where one in four does not answer", { hangs: 4 }],
    ["with steps that overlap", { cluster: { pipeline: 1 } }],
  ])(
    "%s",
    (_, circumstances) => {
      const growth = looksPerEvent(MANY, circumstances) / looksPerEvent(FEW, circumstances);
      expect(growth).toBeLessThan(MOST_GROWTH);
    },
    120_000,
  );
});
