import type { WorkerHeartbeat, WorkerStatus } from "@mzsr/shared";
import { fakeWorker } from "@mzsr/testing/fake-feed";
import { expect, it } from "vitest";
import { WorkerDevices } from "./worker-devices.js";

const gpu = { utilisation: 0.9, memoryUsedBytes: 1e9, memoryTotalBytes: 8e10, name: "a card", temperature: 60 };
const batches = { tasks: 15.5, shares: { data: 0.1, upload: 0.1, compute: 0.7, readBack: 0.1 } };

function heartbeat(worker: string, device: Partial<WorkerHeartbeat> = {}): WorkerHeartbeat {
  const at = { at: 0, busySlots: 0, slots: 1, tasksDone: 0, busyRatio: 0, rssBytes: 1 };
  return { worker, incarnation: "1", backend: "webgpu", ...at, ...device };
}

const devicesOf = (workers: readonly WorkerStatus[]) => workers.map(({ worker, device }) => [worker, device]);

it("adds to each worker what its newest heartbeat told of its GPU and batches", () => {
  const devices = new WorkerDevices();
  devices.hear(heartbeat("a", { gpu }));
  devices.hear(heartbeat("b"));
  expect(devicesOf(devices.addTo([fakeWorker("a"), fakeWorker("b")]))).toEqual([
    ["a", { gpu }],
    ["b", undefined],
  ]);
  devices.hear(heartbeat("a", { gpu, batches }));
  expect(devices.addTo([fakeWorker("a")])[0]!.device).toEqual({ gpu, batches });
  devices.hear(heartbeat("a"));
  expect(devices.addTo([fakeWorker("a")])[0]!.device).toBeUndefined();
});

it("tells nothing of a worker that is not connected, and keeps nothing of strangers", () => {
  const devices = new WorkerDevices();
  devices.hear(heartbeat("a", { gpu }));
  devices.hear(heartbeat("stranger", { gpu }));
  expect(devices.addTo([fakeWorker("a", { state: "lost" })])[0]!.device).toBeUndefined();
  expect(devicesOf(devices.addTo([fakeWorker("a"), fakeWorker("stranger")]))).toEqual([
    ["a", undefined],
    ["stranger", undefined],
  ]);
});

it("remembers no more workers than there may be, however many names are heard before anybody asks", () => {
  const devices = new WorkerDevices();
  for (let at = 0; at <= 16_384; at++) devices.hear(heartbeat(`w${at}`, { gpu }));
  const told = devices.addTo([fakeWorker("w0"), fakeWorker("w1"), fakeWorker("w16384")]);
  expect(devicesOf(told)).toEqual([
    ["w0", undefined],
    ["w1", { gpu }],
    ["w16384", { gpu }],
  ]);
});
