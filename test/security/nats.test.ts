/** What users of NATS can do to a cluster, with the configuration that is shipped and a real nats-server. */
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startStandby } from "@mzsr/coordinator";
import {
  type ClusterStatus,
  connectNats,
  findLeader,
  heartbeatSubject,
  heartbeatToBytes,
  leaderSubject,
  type NatsOptions,
  type NatsRole,
  statusFromBytes,
  statusSubject,
  type WorkerHeartbeat,
} from "@mzsr/shared";
import { hasNatsServer, startNatsServer, type TestNatsServer } from "@mzsr/testing/nats-server";
import { mzsr } from "@mzsr/testing/run-command";
import { helloOf } from "@mzsr/testing/scripted-worker";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import type { connect as connectTo, NatsConnection } from "nats";
import pino from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { LeaderStore } from "../../packages/coordinator/src/leadership/leader-store.js";
import { smallCoordinator, workerOf } from "../../packages/coordinator/src/testing/small-coordinator.js";

const SHIPPED = fileURLToPath(new URL("../../deploy/nats", import.meta.url));
const PASSWORDS: Readonly<Record<NatsRole, string>> = {
  coordinator: "change-me-1",
  worker: "change-me-2",
  watcher: "change-me-3",
};
const { connect } = createRequire(new URL("../../packages/shared/src/index.ts", import.meta.url))("nats") as {
  connect: typeof connectTo;
};

async function shippedServer(): Promise<TestNatsServer> {
  const folder = await temporaryFolder();
  const shipped = (name: string) => readFile(join(SHIPPED, name), "utf8");
  const [configuration, passwords] = [await shipped("nats.conf"), await shipped("passwords.conf.example")];
  await writeFile(
    join(folder, "nats.conf"),
    configuration.replace('"/data"', JSON.stringify(join(folder, "jetstream"))),
  );
  await writeFile(join(folder, "passwords.conf"), passwords);
  const server = await startNatsServer(-1, ["-c", join(folder, "nats.conf")]);
  onTestFinished(() => server.stop());
  return server;
}

function as(role: NatsRole, server: TestNatsServer): NatsOptions & { readonly role: NatsRole } {
  return { servers: [server.address], user: role, password: PASSWORDS[role], role };
}

async function linkAs(role: NatsRole, server: TestNatsServer) {
  const link = connectNats(as(role, server), `test ${role}`);
  onTestFinished(() => link.close());
  await link.whenConnected(30_000);
  return link;
}

/** A client that keeps to no rules of ours; with what NATS refused it. */
async function strangerAs(role: NatsRole, server: TestNatsServer) {
  const stranger = await connect({ servers: server.address, user: role, pass: PASSWORDS[role] });
  onTestFinished(() => stranger.close());
  const refused: string[] = [];
  void (async () => {
    for await (const { type, permissionContext } of stranger.status() as AsyncIterable<Told>) {
      if (type === "error") refused.push(`${permissionContext?.operation} ${permissionContext?.subject}`);
    }
  })();
  return { stranger, refused };
}

interface Told {
  readonly type: string;
  readonly permissionContext?: { readonly operation: string; readonly subject: string };
}

/** Resolves when the server has dealt with everything before. */
async function dealtWith(connection: NatsConnection): Promise<void> {
  await connection.flush();
}

function heartbeat(worker: string, incarnation: string, name: string): WorkerHeartbeat {
  const gpu = { utilisation: 1, memoryUsedBytes: 1, memoryTotalBytes: 2, name };
  const rest = { at: 0, busySlots: 0, slots: 1, backend: "cpu", tasksDone: 0, busyRatio: 0, rssBytes: 1 };
  return { worker, incarnation, gpu, ...rest };
}

async function standby(server: TestNatsServer) {
  const folder = await temporaryFolder();
  const options = {
    configuration: smallConfiguration(),
    runFolder: join(folder, "run"),
    runName: "run",
    images: await smallImages(folder),
    listen: { host: "127.0.0.1", grpcPort: 0, httpPort: 0 },
    nats: as("coordinator", server),
    logger: pino({ level: "silent" }),
  };
  const coordinator = await startStandby(options);
  onTestFinished(async () => void (await coordinator.stop("the test is over")));
  return coordinator;
}

describe.skipIf(!hasNatsServer())("NATS as it is shipped", () => {
  test("lets coordinators keep the lead and their checkpoints, workers find the leader, and watchers ask", async () => {
    const server = await shippedServer();
    const coordinator = await standby(server);
    const worker = await linkAs("worker", server);
    const address = await findLeader(worker, "run", 60_000);
    expect(address).toBe(coordinator.leading!.grpcAddress);
    const watcher = await linkAs("watcher", server);
    const status = statusFromBytes(await watcher.request(statusSubject("run"), new Uint8Array(), 10_000));
    expect(status.run).toBe("run");
    const store = await LeaderStore.open(as("coordinator", server), "run", 1);
    onTestFinished(() => store.close());
    await store.putObject("some", Buffer.alloc(300_000, 7));
    expect(Buffer.from(await store.getObject("some")).equals(Buffer.alloc(300_000, 7))).toBe(true);
    await store.removeObjects((name) => name === "some");
    expect(await store.objectNames()).not.toContain("some");
  });

  test("lets nobody read another's heartbeats or answers, nor write what is not his", async () => {
    const server = await shippedServer();
    for (const [role, subjects] of [
      [
        "worker",
        ["mzsr.>", "mzsr.run.heartbeat.*", "mzsr.*.event.*", "_INBOX.>", "_INBOX.coordinator.>", "$KV.>", ">"],
      ],
      ["watcher", ["mzsr.>", "mzsr.run.heartbeat.*", "_INBOX.>", "_INBOX.worker.>", "$KV.>", ">"]],
    ] as const) {
      const { stranger, refused } = await strangerAs(role, server);
      for (const subject of subjects) stranger.subscribe(subject, { callback: () => undefined });
      await dealtWith(stranger);
      await expect.poll(() => refused).toEqual(subjects.map((subject) => `subscription ${subject}`));
      const forbidden = [
        "$KV.mzsr-leaders.run",
        "$JS.API.STREAM.PURGE.KV_mzsr-leaders",
        "mzsr.run.event.join",
        "_INBOX.x",
      ];
      const asks =
        role === "worker" ? ["mzsr.run.status", "$JS.API.STREAM.MSG.GET.KV_mzsr-leaders"] : ["mzsr.run.heartbeat.a"];
      for (const subject of [...forbidden, ...asks]) stranger.publish(subject, "x");
      await dealtWith(stranger);
      await expect
        .poll(() => refused.slice(subjects.length))
        .toEqual([...forbidden, ...asks].map((subject) => `publish ${subject}`));
    }
  });

  test("has no coordinator carry out what its user may and the one who asks may not", async () => {
    const server = await shippedServer();
    const coordinator = await standby(server);
    await findLeader(await linkAs("worker", server), "run", 60_000);
    const store = await LeaderStore.open(as("coordinator", server), "run", 1);
    onTestFinished(() => store.close());
    const before = (await store.read())!;
    const targets = ["$JS.API.STREAM.PURGE.KV_mzsr-leaders", "$KV.mzsr-leaders.run", "mzsr.run.event.join"];
    for (const [role, subject] of [
      ["worker", leaderSubject("run")],
      ["watcher", statusSubject("run")],
    ] as const) {
      const { stranger } = await strangerAs(role, server);
      for (const reply of targets) stranger.publish(subject, "", { reply });
      await dealtWith(stranger);
    }
    // An honest question behind them: when it is answered, they have been dealt with.
    const watcher = await linkAs("watcher", server);
    await watcher.request(statusSubject("run"), new Uint8Array(), 10_000);
    await findLeader(await linkAs("worker", server), "run", 10_000);
    const after = (await store.read())!;
    expect(after.record.holder).toBe(before.record.holder);
    expect(coordinator.leading).toBeDefined();
  });
});

describe.skipIf(!hasNatsServer())("heartbeats over NATS", () => {
  test("count only from the process that has the session, whatever name others use", async () => {
    const server = await shippedServer();
    const coordinator = await smallCoordinator(await temporaryFolder(), { nats: as("coordinator", server) });
    const worker = workerOf(coordinator);
    worker.hello(helloOf("alice", { incarnation: "known to alice alone" }));
    await worker.next("welcome");
    const link = await linkAs("worker", server);
    const send = (incarnation: string, name: string) =>
      link.publish(heartbeatSubject("run", "alice"), heartbeatToBytes(heartbeat("alice", incarnation, name)));
    const deviceOf = () => coordinator.status().workers.find((each) => each.worker === "alice")?.device?.gpu?.name;
    const heard = () => {
      send("known to alice alone", "real");
      return deviceOf();
    };
    await expect.poll(heard, { timeout: 60_000 }).toBe("real");
    for (let at = 0; at < 3; at++) send("a guess", "forged");
    await link.flush();
    const watcher = await linkAs("watcher", server);
    const status = statusFromBytes(
      await watcher.request(statusSubject("run"), new Uint8Array(), 10_000),
    ) as ClusterStatus;
    expect(status.workers.map(({ device }) => device?.gpu?.name)).toEqual(["real"]);
  });

  test("in a flood are not listened to, and training goes on to its end", async () => {
    const server = await shippedServer();
    const warnings: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void warnings.push(line) });
    const coordinator = await smallCoordinator(await temporaryFolder(), { nats: as("coordinator", server), logger });
    const { stranger } = await strangerAs("worker", server);
    const bytes = heartbeatToBytes(heartbeat("alice", "a guess", "forged"));
    const flooded = () => warnings.some((line) => line.includes("more heartbeats than workers send"));
    await expect
      .poll(
        async () => {
          for (let at = 0; at < 20_000; at++) stranger.publish(heartbeatSubject("run", `alice-${at % 100}`), bytes);
          await stranger.flush();
          return flooded();
        },
        { timeout: 60_000 },
      )
      .toBe(true);
    const worker = workerOf(coordinator);
    worker.compute();
    worker.hello(helloOf("alice"));
    for (let at = 0; at < 20_000; at++) stranger.publish(heartbeatSubject("run", "alice"), bytes);
    expect(await coordinator.finished).toMatchObject({ complete: true });
    expect(warnings.filter((line) => line.includes("more heartbeats than"))).toHaveLength(1);
  });
});

test("a worker does not send its token to whoever says over NATS that he leads", async () => {
  const env = { ...process.env, MZSR_TOKEN: "a secret" };
  const how = ["worker", "--run", "run", "--nats", "127.0.0.1:1"];
  for (const more of [[], ["--tls"]]) {
    const { code, notes } = await mzsr([...how, ...more], { env });
    expect([code, notes]).toEqual([
      2,
      expect.stringMatching(/--run run: the token would go to whoever .*--tls-ca.*--insecure/),
    ]);
  }
  const trusting = await mzsr([...how, "--insecure", "--connect-timeout", "1", "--backend", "cpu"], { env });
  expect([trusting.code, trusting.notes]).toEqual([1, expect.not.stringContaining("the token would go")]);
});
