import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkpointsBucket, type LeaderRecord, type NatsOptions } from "@mzsr/shared";
import { hasNatsServer, startNatsServer, type TestNatsServer } from "@mzsr/testing/nats-server";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { connect } from "nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type MetricsLine, readMetrics } from "../run/metrics-log.js";
import { CheckpointReplica } from "./checkpoint-replica.js";
import { LeaderLease } from "./leader-lease.js";
import { LeaderStore, OvertakenError } from "./leader-store.js";
import { fetchMetrics, MetricsReplica } from "./metrics-replica.js";

const now = () => performance.now();

async function jetStream(): Promise<TestNatsServer> {
  const folder = await temporaryFolder();
  const server = await startNatsServer(undefined, ["-js", "-sd", folder]);
  onTestFinished(() => server.stop());
  return server;
}

async function storeAt(server: TestNatsServer): Promise<LeaderStore> {
  const store = await LeaderStore.open({ servers: [server.address] }, "a run", 1);
  onTestFinished(() => store.close());
  return store;
}

function recordOf(holder: string, changes: Partial<LeaderRecord> = {}): LeaderRecord {
  return { holder, state: "leading", grpcAddress: "", httpAddress: "", leaseMs: 10_000, checkpoint: null, ...changes };
}

/** Begins a term on a record that nobody has. */
async function begin(store: LeaderStore, record: LeaderRecord) {
  const sentMs = now();
  const lost: string[] = [];
  const revision = await store.write(record, 0);
  const lease = new LeaderLease(store, { record, revision, sentMs }, now, (reason) => lost.push(reason));
  onTestFinished(() => lease.release("released"));
  return { lease, lost, revision };
}

describe.skipIf(!hasNatsServer())("a leader's record in JetStream", () => {
  test("is written by one of those who want it at the same revision", async () => {
    const server = await jetStream();
    const stores = await Promise.all([storeAt(server), storeAt(server), storeAt(server)]);
    const tries = await Promise.allSettled(stores.map((store, i) => store.write(recordOf(`holder ${i}`), 0)));
    const won = tries.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
    expect(won).toHaveLength(1);
    const entry = await stores[0].read();
    expect(entry?.record.holder).toBe(`holder ${won[0]}`);
    await expect(stores[1].write(recordOf("late"), entry!.revision - 1 || 99)).rejects.toThrow(OvertakenError);
    expect(await stores[2].write(recordOf("next"), entry!.revision)).toBeGreaterThan(entry!.revision);
  });

  test("is kept fresh by its leader, says where it is, and when it steps down", async () => {
    const server = await jetStream();
    const store = await storeAt(server);
    const { lease, lost, revision } = await begin(store, recordOf("a"));
    expect(await lease.set({ grpcAddress: "10.0.0.1:7700" })).toBe(true);
    expect((await store.read())!.record.grpcAddress).toBe("10.0.0.1:7700");
    expect((await store.read())!.revision).toBeGreaterThan(revision);
    await lease.release("released");
    expect((await store.read())!.record).toMatchObject({ state: "released", holder: "a" });
    expect([lease.valid, lost]).toEqual([false, []]);
  });

  test("ends the term of a leader that somebody has overtaken", async () => {
    const store = await storeAt(await jetStream());
    const { lease, lost } = await begin(store, recordOf("a"));
    const usurp = async () => store.write(recordOf("b"), (await store.read())!.revision);
    await vi.waitUntil(
      () =>
        usurp().then(
          () => true,
          () => false,
        ),
      10_000,
    );
    await vi.waitUntil(() => lost.length > 0, 10_000);
    expect(lost[0]).toBe("another coordinator leads the run now");
    expect(lease.valid).toBe(false);
    expect(await lease.set({ grpcAddress: "x:1" })).toBe(false);
    await lease.release("released");
    expect((await store.read())!.record).toMatchObject({ holder: "b", state: "leading" });
  });

  test("is given up by a leader that cannot reach NATS", async () => {
    const server = await jetStream();
    const store = await storeAt(server);
    const { lease, lost } = await begin(store, recordOf("a", { leaseMs: 1000 }));
    await server.stop();
    await vi.waitUntil(() => lost.length > 0, 20_000);
    expect(lost[0]).toMatch(/the lead could not be kept up/);
    expect(lease.valid).toBe(false);
  });

  test("survives an answer that was lost: the write counts, and the leader stays", async () => {
    const store = await storeAt(await jetStream());
    let losses = 1;
    const forgetful = {
      read: () => store.read(),
      write: async (record: LeaderRecord, revision: number) => {
        const written = await store.write(record, revision);
        if (losses-- > 0) throw new Error("TIMEOUT");
        return written;
      },
    };
    const record = recordOf("a");
    const revision = await store.write(record, 0);
    const lost: string[] = [];
    const term = { record, revision, sentMs: now() };
    const lease = new LeaderLease(forgetful, term, now, (reason) => lost.push(reason));
    onTestFinished(() => lease.release("released"));
    expect(await lease.set({ grpcAddress: "x:1" })).toBe(true);
    expect((await store.read())!.record.grpcAddress).toBe("x:1");
    expect(lost).toEqual([]);
  });

  test("names the newest replicated checkpoint; the three newest stay", async () => {
    const store = await storeAt(await jetStream());
    const { lease } = await begin(store, recordOf("a"));
    const problems: string[] = [];
    const metrics = await MetricsReplica.begin(store, join(await temporaryFolder(), "metrics.jsonl"), 0);
    const replica = new CheckpointReplica(store, lease, metrics, (reason) => problems.push(reason));
    const bytes = (step: number) => new Uint8Array(300_000).fill(step);
    for (const step of [10, 20, 30, 40]) {
      replica.put(step, bytes(step));
      await replica.settle();
    }
    const { checkpoint } = (await store.read())!.record;
    expect(checkpoint).toEqual({ object: "40-a", step: 40 });
    expect(Buffer.from(await store.getObject("40-a")).equals(bytes(40))).toBe(true);
    expect(Buffer.from(await store.getObject("20-a")).equals(bytes(20))).toBe(true);
    await expect(store.getObject("10-a")).rejects.toThrow("there is no object 10-a");
    expect(problems).toEqual([]);
  });

  test("does not wait for ever for an object whose content is gone", async () => {
    const server = await jetStream();
    const store = await storeAt(server);
    await store.putObject("10-a", new Uint8Array(300_000));
    const connection = await connect({ servers: server.address });
    onTestFinished(() => connection.close());
    const bucket = checkpointsBucket("a run");
    const purged = await (await connection.jetstreamManager()).streams.purge(`OBJ_${bucket}`, {
      filter: `$O.${bucket}.C.>`,
    });
    expect(purged.purged).toBeGreaterThan(0);
    await expect(store.getObject("10-a")).rejects.toThrow(/10-a/);
  });

  test("comes with the lines of metrics.jsonl, which a standby puts together again without gaps", async () => {
    const store = await storeAt(await jetStream());
    const [leader, standby] = [
      join(await temporaryFolder(), "m.jsonl"),
      join(await temporaryFolder(), "run", "m.jsonl"),
    ];
    const line = (step: number) => ({ step, stage: "pretraining", theta_sha256: `hash ${step}` }) as MetricsLine;
    await writeFile(leader, [1, 2, 3].map((step) => `${JSON.stringify(line(step))}\n`).join(""));
    const first = await MetricsReplica.begin(store, leader, 2);
    for (const step of [3, 4, 5]) first.add(line(step));
    await first.put(4, "a");
    await fetchMetrics(store, standby, 4);
    expect((await readMetrics(standby)).lines).toEqual([1, 2, 3, 4].map(line));
    const second = await MetricsReplica.begin(store, standby, 4);
    for (const step of [5, 6]) second.add(line(step));
    await first.put(5, "a");
    await second.put(6, "b");
    await appendFile(standby, "{ cut sho");
    await fetchMetrics(store, standby, 6);
    expect((await readMetrics(standby)).lines).toEqual([1, 2, 3, 4, 5, 6].map(line));
  });

  test("cannot be kept where NATS has no JetStream, and the error says so", async () => {
    const server = await startNatsServer();
    onTestFinished(() => server.stop());
    const options: NatsOptions = { servers: [server.address] };
    await expect(LeaderStore.open(options, "run", 1)).rejects.toThrow(/NATS keeps no records.*nats-server -js/);
  });
});

test("a leader that was paused for too long knows it before any timer runs", async () => {
  let nowMs = 0;
  const silent = { read: async () => undefined, write: () => new Promise<number>(() => undefined) };
  const term = { record: recordOf("a", { leaseMs: 1000 }), revision: 1, sentMs: 0 };
  const lost: string[] = [];
  const lease = new LeaderLease(
    silent,
    term,
    () => nowMs,
    (reason) => lost.push(reason),
  );
  nowMs = 799;
  expect(lease.valid).toBe(true);
  nowMs = 801;
  expect(lease.valid).toBe(false);
  expect(lost).toEqual([]);
  lease.lose("paused");
  lease.lose("paused again");
  expect(lost).toEqual(["paused"]);
});
