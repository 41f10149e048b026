import { expect, test } from "vitest";
import { FAULT_KINDS, faultSchedule } from "./faults.js";

const SMALL = { count: 300, seconds: 600, workers: 2, disk: true, nats: true };
const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

test("a seed always gives the same faults, and another seed others", () => {
  expect(faultSchedule({ ...SMALL, seed: 7 })).toEqual(faultSchedule({ ...SMALL, seed: 7 }));
  expect(faultSchedule({ ...SMALL, seed: 7 })).not.toEqual(faultSchedule({ ...SMALL, seed: 8 }));
});

test.each(seeds)("seed %i: as many faults as asked for, in order, of every kind, and the disk is full once", (seed) => {
  const faults = faultSchedule({ ...SMALL, seed });
  expect(faults).toHaveLength(SMALL.count);
  for (const [i, { atSeconds }] of faults.entries()) {
    expect(atSeconds).toBeGreaterThanOrEqual(faults[i - 1]?.atSeconds ?? 0);
    expect(atSeconds).toBeLessThanOrEqual(SMALL.seconds);
  }
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
  expect(faults.filter(({ kind }) => kind === "disk-full")).toHaveLength(1);
});

test.each(seeds)("seed %i: faults strike workers that are there, and one always stays", (seed) => {
  const there = new Set(["worker-1", "worker-2"]);
  for (const { kind, worker } of faultSchedule({ ...SMALL, seed })) {
    if (worker === undefined) continue;
    expect(there.has(worker)).toBe(kind !== "worker-join");
    if (kind === "worker-join") there.add(worker);
    if (kind === "worker-kill" || kind === "worker-leave") there.delete(worker);
    expect(there.size).toBeGreaterThan(0);
  }
});

test("nothing is hurt that is not there", () => {
  const kinds = faultSchedule({ ...SMALL, seed: 1, disk: false, nats: false }).map(({ kind }) => kind);
  for (const absent of ["disk-full", "nats-kill", "nats-freeze"]) expect(kinds).not.toContain(absent);
});
