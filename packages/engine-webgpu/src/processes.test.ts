import { execFile } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import type { DeviceOptions } from "./device/device.js";
import { describeOnGpu } from "./testing/test-device.js";

const script = (name: string) => fileURLToPath(new URL(`testing/${name}`, import.meta.url));

it("outlives garbage collections, and does not grow over 50 batches", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script("collected.mjs")]);
  // A batch brings 1.8 MB: whatever kept them would be 90 MB.
  expect(Number(stdout)).toBeLessThan(30e6);
});

/** Starts a thread that computes a gradient and ends. */
async function computeInThread(options: DeviceOptions) {
  const thread = new Worker(script("gpu-thread.mjs"), { workerData: options });
  const ended = once(thread, "exit");
  const [result] = await once(thread, "message");
  expect(await ended).toEqual([0]);
  return result;
}

it("starts and ends in one thread after the other", async () => {
  for (let i = 0; i < 3; i++) await computeInThread({ backend: "null" });
});

describeOnGpu("threads", () => {
  it("have devices of their own, side by side", async () => {
    const [one, other] = await Promise.all([computeInThread({}), computeInThread({})]);
    expect(other).toEqual(one);
    expect(one.gradient.some((value: number) => value !== 0)).toBe(true);
    expect(one.loss).toBeGreaterThan(0);
  });
});
