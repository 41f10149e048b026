import type { RunEvent } from "@mzsr/shared";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RefusalLog } from "./refusal-log.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function log() {
  const told: string[] = [];
  const refusals = new RefusalLog(
    ({ reason, worker }: RunEvent) => void told.push(worker === undefined ? reason : `${worker} ${reason}`),
  );
  const refused = (reason: string, worker?: string) =>
    refusals.refused({ kind: "refusal", reason, ...(worker === undefined ? {} : { worker }) });
  return { told, refusals, refused };
}

test("a peer that comes again and again for one reason is told of at once, and then once a minute", () => {
  const { told, refused } = log();
  for (let port = 1; port <= 5000; port++) refused(`10.0.0.9:${port}: wrong token`);
  refused("[fd00::9]:7: wrong token");
  expect(told).toEqual(["10.0.0.9:1: wrong token", "[fd00::9]:7: wrong token"]);
  vi.advanceTimersByTime(60_000);
  expect(told.slice(2)).toEqual(["10.0.0.9: wrong token (4999 more within a minute)"]);
  refused("10.0.0.9:1: wrong token");
  expect(told.slice(3)).toEqual(["10.0.0.9:1: wrong token"]);
  vi.advanceTimersByTime(60_000);
  expect(told).toHaveLength(4);
});

test("thousands of peers and reasons take twenty lines a minute, and one for the rest", () => {
  const { told, refusals, refused } = log();
  for (let peer = 0; peer < 5000; peer++) refused("another backend", `worker-${peer}`);
  expect(told).toHaveLength(20);
  refusals.close();
  expect(told.slice(20)).toEqual(["4980 more refusals of other kinds or peers within a minute"]);
});
