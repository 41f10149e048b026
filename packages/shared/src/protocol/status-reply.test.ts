import { expect, test } from "vitest";
import type { ClusterStatus } from "./http-api.js";
import { statusFromBytes, statusToBytes } from "./status-reply.js";

function statusOf(workers: number): ClusterStatus {
  const worker = (n: number) => ({
    worker: `worker-${n}`,
    reason: "connected",
    host: "a-machine".repeat(20),
    since: n,
  });
  return { run: "r", workers: Array.from({ length: workers }, (_, n) => worker(n)) } as unknown as ClusterStatus;
}

test("the status of many thousand workers fits a NATS message whole, and that of a few is plain JSON", () => {
  const few = statusOf(3);
  expect(JSON.parse(Buffer.from(statusToBytes(few)).toString())).toEqual(few);
  expect(statusFromBytes(statusToBytes(few))).toEqual(few);
  const many = statusOf(8000);
  expect(JSON.stringify(many).length).toBeGreaterThan(1024 * 1024);
  expect(statusToBytes(many).length).toBeLessThan(1024 * 1024);
  expect(statusFromBytes(statusToBytes(many))).toEqual(many);
});
