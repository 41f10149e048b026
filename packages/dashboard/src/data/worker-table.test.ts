import type { WorkerStatus } from "@mzsr/shared";
import { fakeWorker } from "@mzsr/testing/fake-feed";
import { expect, test } from "vitest";
import { matching, overviewOf, rowWindow, type SortOrder, sorted } from "./worker-table.js";

const WORKERS = [
  fakeWorker("worker-10", { secondsPerTask: 2, tasksDone: 5, busySlots: 1 }),
  fakeWorker("worker-2", { secondsPerTask: 0.5, tasksDone: 9, host: "rack-b", backend: "cuda" }),
  fakeWorker("worker-3", { secondsPerTask: null, tasksDone: 0, reason: "on trial: it did not answer" }),
  fakeWorker("worker-4", { state: "lost", reason: "no heartbeat for 5 s", secondsPerTask: 90 }),
  fakeWorker("worker-5", { state: "quarantined", reason: "NaN", secondsPerTask: null }),
  fakeWorker("worker-6", { state: "gone", reason: "its work is done", secondsPerTask: 1 }),
];

const names = (workers: readonly WorkerStatus[]) => workers.map(({ worker }) => worker.replace("worker-", ""));

test("many workers are summed up: how many of each standing, and how fast the connected ones are", () => {
  const { counts, pace, slots, busySlots } = overviewOf(WORKERS);
  expect(counts.map(({ standing, count }) => [standing, count])).toEqual([
    ["Working", 2],
    ["Left", 1],
    ["On trial", 1],
    ["Lost", 1],
    ["Quarantined", 1],
  ]);
  expect([busySlots, slots]).toEqual([5, 6]);
  expect(pace).toEqual({
    fastest: { worker: "worker-2", seconds: 0.5 },
    median: 2,
    slowest: { worker: "worker-10", seconds: 2 },
  });
  expect(overviewOf([]).pace).toBeUndefined();
});

test("a search finds names, hosts, backends, standings and reasons, all words of it", () => {
  expect(names(matching(WORKERS, " "))).toHaveLength(6);
  expect(names(matching(WORKERS, "WORKER-1"))).toEqual(["10"]);
  expect(names(matching(WORKERS, "rack-b cuda"))).toEqual(["2"]);
  expect(names(matching(WORKERS, "cuda trial"))).toEqual([]);
  expect(names(matching(WORKERS, "trial"))).toEqual(["3"]);
  expect(names(matching(WORKERS, "heartbeat"))).toEqual(["4"]);
});

test("trouble stands first by default, numbers sort as numbers, and what is not known comes last either way", () => {
  const by = (key: SortOrder["key"], descending = false) => names(sorted(WORKERS, { key, descending }));
  expect(by("standing")).toEqual(["5", "4", "3", "2", "10", "6"]);
  expect(by("worker")).toEqual(["2", "3", "4", "5", "6", "10"]);
  expect(by("worker", true)).toEqual(["10", "6", "5", "4", "3", "2"]);
  expect(by("seconds")).toEqual(["2", "6", "10", "4", "3", "5"]);
  expect(by("seconds", true)).toEqual(["4", "10", "6", "2", "3", "5"]);
  expect(by("tasks", true).slice(0, 1)).toEqual(["4"]);
});

test("only the rows in view and their neighbours are drawn, wherever the table is scrolled", () => {
  expect(rowWindow(500, 0, 480, 40)).toEqual({ first: 0, end: 18 });
  expect(rowWindow(500, 4000, 480, 40)).toEqual({ first: 94, end: 118 });
  expect(rowWindow(500, 500 * 40, 480, 40)).toEqual({ first: 482, end: 500 });
  expect(rowWindow(3, 4000, 480, 40)).toEqual({ first: 0, end: 3 });
  expect(rowWindow(0, 0, 480, 40)).toEqual({ first: 0, end: 0 });
});
