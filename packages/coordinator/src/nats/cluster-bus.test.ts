import {
  ANY_STATUS_SUBJECT,
  type ClusterStatus,
  connectNats,
  eventSubject,
  heartbeatSubject,
  heartbeatToBytes,
  type NatsLink,
  type RunEventRecord,
  statusSubject,
} from "@mzsr/shared";
import { hasNatsServer, startNatsServer, type TestNatsServer } from "@mzsr/testing/nats-server";
import { helloOf } from "@mzsr/testing/scripted-worker";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { RunningCoordinator } from "../options.js";
import { smallCoordinator, workerOf } from "../testing/small-coordinator.js";

async function natsServer(port?: number): Promise<TestNatsServer> {
  const server = await startNatsServer(port);
  onTestFinished(() => server.stop());
  return server;
}

async function listener(server: TestNatsServer): Promise<NatsLink> {
  const link = connectNats({ servers: [server.address] }, "test");
  onTestFinished(() => link.close());
  await link.whenConnected(10_000);
  return link;
}

async function connected(coordinator: RunningCoordinator, wanted = 1): Promise<void> {
  await vi.waitUntil(async () => {
    const metrics = await (await fetch(`http://${coordinator.httpAddress}/metrics`)).text();
    return metrics.includes(`mzsr_nats_connected{run="run"} ${wanted}`);
  }, 20_000);
}

async function statusOver(link: NatsLink, subject: string): Promise<ClusterStatus> {
  return JSON.parse(Buffer.from(await link.request(subject, new Uint8Array(), 5_000)).toString()) as ClusterStatus;
}

describe.skipIf(!hasNatsServer())("a coordinator on NATS", () => {
  test("answers for its status, by its run's name and to those who ask every run", async () => {
    const server = await natsServer();
    const coordinator = await smallCoordinator(await temporaryFolder(), { nats: { servers: [server.address] } });
    await connected(coordinator);
    const link = await listener(server);
    expect(await statusOver(link, statusSubject("run"))).toMatchObject({ run: "run", phase: "waiting", totalSteps: 6 });
    expect(await statusOver(link, ANY_STATUS_SUBJECT)).toMatchObject({ run: "run" });
    await expect(statusOver(link, statusSubject("another"))).rejects.toThrow("no answer");
    expect(await link.requestAll(statusSubject("another"), new Uint8Array(), 5_000, 100)).toEqual([]);
  });

  test("tells its events, and takes heartbeats as a sign of life", async () => {
    const server = await natsServer();
    const coordinator = await smallCoordinator(await temporaryFolder(), { nats: { servers: [server.address] } });
    await connected(coordinator);
    const link = await listener(server);
    const told: RunEventRecord[] = [];
    link.subscribe(eventSubject("run"), ({ data }) => told.push(JSON.parse(Buffer.from(data).toString())));
    await link.flush();
    const worker = workerOf(coordinator);
    worker.hello(helloOf("alice"));
    await worker.next("welcome");
    await vi.waitUntil(() => told.some(({ kind, worker: name }) => kind === "join" && name === "alice"), 20_000);
    const heardMs = () => performance.now() - 1000 * coordinator.status().workers[0]!.lastHeartbeatAgoSeconds!;
    const joinedMs = heardMs();
    await vi.waitUntil(() => performance.now() > joinedMs + 200, 20_000);
    const at = { at: Date.now(), busySlots: 0, slots: 1, tasksDone: 0, busyRatio: 0, rssBytes: 1 };
    const gpu = { utilisation: 0.5, memoryUsedBytes: 1e9, memoryTotalBytes: 8e9, name: "a card" };
    const heartbeat = heartbeatToBytes({ worker: "alice", incarnation: "alice-1", backend: "cpu", ...at, gpu });
    link.publish(heartbeatSubject("run", "alice"), Buffer.from("junk"));
    link.publish(heartbeatSubject("run", "mallory"), heartbeat);
    link.publish(heartbeatSubject("run", "alice"), heartbeat);
    await vi.waitUntil(() => heardMs() > joinedMs + 100, 20_000);
    expect(coordinator.status().workers[0]!.device).toEqual({ gpu });
  });

  test("trains on while NATS is away, and is there again when NATS is", async () => {
    const server = await natsServer();
    const coordinator = await smallCoordinator(await temporaryFolder(), { nats: { servers: [server.address] } });
    await connected(coordinator);
    await server.stop();
    await connected(coordinator, 0);
    const worker = workerOf(coordinator);
    const reached = new Promise<void>((resolve) => {
      worker.computeUntil(5, resolve);
    });
    worker.hello(helloOf("alice"));
    await reached;
    expect(coordinator.status().step).toBe(5);
    await natsServer(server.port);
    await connected(coordinator);
    expect((await statusOver(await listener(server), statusSubject("run"))).step).toBe(5);
  });
});

test("a NATS that was never there holds nothing up", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder(), { nats: { servers: ["127.0.0.1:1"] } });
  const worker = workerOf(coordinator);
  worker.compute();
  worker.hello(helloOf("alice"));
  expect((await coordinator.finished).complete).toBe(true);
});
