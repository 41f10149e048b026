/**
 * The determinism contract (docs/design.md §6) with real coordinators, workers, sockets and files: θ after every step is the
 * same to the last bit, whatever happens to the cluster.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Configuration } from "@mzsr/shared";
import { freePorts } from "@mzsr/testing/free-port";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test, vi } from "vitest";
import { type ClusterProcess, coordinatorProcess, statusWhere, workerProcess } from "./cluster-processes.js";

vi.setConfig({ testTimeout: 240_000 });

/** Enough for the rest of a run to outlast the moment between seeing a step and killing somebody. */
const TOTAL = 50;
const STEPS = { pretraining: { steps: 6 }, metaTraining: { steps: TOTAL - 6 }, checkpoints: { every: 3, keep: 2 } };

interface SmallCluster {
  readonly folder: string;
  readonly port: number;
  readonly httpPort: number;
  readonly configuration: Configuration;
}

async function smallCluster(changes: Record<string, unknown> = {}): Promise<SmallCluster> {
  const folder = await temporaryFolder();
  const data = join(folder, "photos");
  await smallImages(data);
  const [port, httpPort] = (await freePorts(2)) as [number, number];
  return { folder, port, httpPort, configuration: smallConfiguration({ ...STEPS, data, ...changes }) };
}

const start = (cluster: SmallCluster, ...more: string[]) => coordinatorProcess({ ...cluster, more });
const work = (cluster: SmallCluster, name: string) => workerProcess(cluster.folder, cluster.port, name);

/** θ's hash after each step, as metrics.jsonl tells. */
async function hashes({ folder }: SmallCluster): Promise<string[]> {
  const text = await readFile(join(folder, "run", "metrics.jsonl"), "utf8");
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { step: number; theta_sha256: string });
  expect(lines.map(({ step }) => step)).toEqual(lines.map((_, i) => i + 1));
  return lines.map(({ theta_sha256 }) => theta_sha256);
}

/** Resolves when the run is finished. Fails as soon as one of the workers that it needs does. */
async function succeed(coordinator: ClusterProcess, workers: readonly ClusterProcess[]): Promise<void> {
  const failed = workers.map(async (worker) => {
    expect(await worker.exit(), worker.said).toBe(0);
    await coordinator.exit();
  });
  await Promise.race([coordinator.exit(), ...failed]);
  expect(await coordinator.exit(), coordinator.said).toBe(0);
}

let quietRun: Promise<string[]> | undefined;

/** What every run must give: one worker, and nothing happens. Computed by the first test that asks. */
function quiet(): Promise<string[]> {
  quietRun ??= (async () => {
    const cluster = await smallCluster();
    const coordinator = await start(cluster);
    await succeed(coordinator, [work(cluster, "only")]);
    const found = await hashes(cluster);
    expect([found.length, new Set(found).size]).toEqual([TOTAL, TOTAL]);
    return found;
  })();
  return quietRun;
}

test("two workers give the parameters that one gives", async () => {
  const cluster = await smallCluster();
  const coordinator = await start(cluster);
  await succeed(
    coordinator,
    ["first", "second"].map((name) => work(cluster, name)),
  );
  expect(await hashes(cluster)).toEqual(await quiet());
});

test("workers of several slots, which may add results up, give the same", async () => {
  const cluster = await smallCluster();
  const coordinator = await start(cluster);
  const workers = [1, 2, 6].map((slots) =>
    workerProcess(cluster.folder, cluster.port, `of-${slots}`, ["--slots", `${slots}`]),
  );
  await succeed(coordinator, workers);
  expect(await hashes(cluster)).toEqual(await quiet());
});

test("a run that was stopped by a signal and resumed gives the same", async () => {
  const cluster = await smallCluster();
  const coordinator = await start(cluster);
  const worker = work(cluster, "only");
  await statusWhere(cluster.httpPort, ({ step }) => step >= 7);
  expect(await coordinator.terminate(), coordinator.said).toBe(0);
  const stopped = (await hashes(cluster)).length;
  expect(stopped).toBeLessThan(TOTAL);
  await succeed(await start(cluster, "--resume"), [worker]);
  expect(await hashes(cluster)).toEqual(await quiet());
  expect(await worker.exit(), worker.said).toBe(0);
});

test("a worker killed in the middle of its task changes nothing", async () => {
  const cluster = await smallCluster();
  const coordinator = await start(cluster);
  const victim = work(cluster, "victim");
  const survivor = work(cluster, "survivor");
  await statusWhere(
    cluster.httpPort,
    ({ step, workers }) => step >= 7 && workers.some(({ worker, busySlots }) => worker === "victim" && busySlots > 0),
  );
  await victim.kill();
  await succeed(coordinator, [survivor]);
  expect(await hashes(cluster)).toEqual(await quiet());
});

test("a coordinator killed and started again goes on to the same end with the workers that waited", async () => {
  const cluster = await smallCluster();
  const coordinator = await start(cluster);
  const workers = ["first", "second"].map((name) => work(cluster, name));
  await statusWhere(cluster.httpPort, ({ step }) => step >= 8);
  await coordinator.kill();
  await succeed(await start(cluster, "--resume"), workers);
  expect(await hashes(cluster)).toEqual(await quiet());
  for (const worker of workers) expect(await worker.exit(), worker.said).toBe(0);
});

test("audits change nothing", async () => {
  const cluster = await smallCluster({ cluster: { auditShare: 0.5 } });
  const coordinator = await start(cluster);
  await succeed(
    coordinator,
    ["first", "second"].map((name) => work(cluster, name)),
  );
  expect(await hashes(cluster)).toEqual(await quiet());
});
