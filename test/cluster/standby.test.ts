/** Coordinators that stand by for each other, as real processes on a real NATS with JetStream. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readModel } from "@mzsr/mzsr";
import { askLeader, type Configuration, connectNats, findLeader, type NatsLink } from "@mzsr/shared";
import { freePorts } from "@mzsr/testing/free-port";
import { hasNatsServer, startNatsServer } from "@mzsr/testing/nats-server";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ClusterProcess, coordinatorProcess, statusWhere, workerProcess } from "./cluster-processes.js";

vi.setConfig({ testTimeout: 240_000 });

const RUN = "run";
const PATIENCE = 100_000;

interface Setting {
  readonly folder: string;
  readonly nats: string;
  readonly link: NatsLink;
  readonly configuration: Configuration;
  stopNats(): Promise<void>;
  startNats(): Promise<void>;
}

async function setting(steps: number): Promise<Setting> {
  const folder = await temporaryFolder();
  const flags = ["-js", "-sd", join(folder, "jetstream")];
  let server = await startNatsServer(undefined, flags);
  const stopNats = () => server.stop();
  const startNats = async () => {
    server = await startNatsServer(server.port, flags);
  };
  onTestFinished(stopNats);
  const link = connectNats({ servers: [server.address] }, "test");
  onTestFinished(() => link.close());
  await link.whenConnected(PATIENCE);
  const data = join(folder, "photos");
  await smallImages(data);
  const configuration = configurationFor(data, steps);
  return { folder, nats: server.address, link, configuration, stopNats, startNats };
}

/** @param steps over both stages */
function configurationFor(data: string, steps: number): Configuration {
  const stages = { pretraining: { steps: 4 }, metaTraining: { steps: steps - 4 } };
  return smallConfiguration({ ...stages, checkpoints: { every: 5, keep: 2 }, data });
}

interface Candidate {
  readonly process: ClusterProcess;
  readonly httpPort: number;
  readonly runFolder: string;
}

async function candidate(
  { folder, nats, configuration }: Setting,
  name: string,
  ...options: string[]
): Promise<Candidate> {
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const [port, httpPort] = (await freePorts(2)) as [number, number];
  const more = ["--standby", "--nats", nats, ...options];
  const process = await coordinatorProcess({ folder: own, configuration, port, httpPort, more });
  return { process, httpPort, runFolder: join(own, RUN) };
}

function workerOf({ folder, nats }: Setting): ClusterProcess {
  const cache = join(folder, "cache");
  const how = ["--slots", "1", "--backend", "cpu", "--cache-dir", cache, "--connect-timeout", "120"];
  return new ClusterProcess(["worker", "--run", RUN, "--nats", nats, "--name", "only", ...how]);
}

/** Resolves once somebody leads; the holder changes with every term. */
async function leaderOtherThan({ link }: Setting, holder: string): Promise<string> {
  const ask = async () => {
    const record = await askLeader(link, RUN).catch(() => undefined);
    return record !== undefined && record.grpcAddress !== "" && record.holder !== holder ? record.holder : undefined;
  };
  return (await vi.waitUntil(ask, { timeout: PATIENCE, interval: 50 })) as string;
}

async function answer({ httpPort }: Candidate, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${httpPort}${path}`)).text();
}

/** The status with which a coordinator says whether people and Prometheus may be sent to it. */
async function ready({ httpPort }: Candidate): Promise<number> {
  return (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).status;
}

async function hashes(runFolder: string): Promise<Map<number, string>> {
  const text = await readFile(join(runFolder, "metrics.jsonl"), "utf8");
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { step: number; theta_sha256: string });
  return new Map(lines.map(({ step, theta_sha256 }) => [step, theta_sha256]));
}

/** Steps of the longest run here. A shorter one has the same parameters after the same steps. */
const MOST_STEPS = 70;
let quietRun: Promise<Map<number, string>> | undefined;

/** θ's hash after each step where nothing happens, and nobody stands by. Computed by the first test that asks. */
async function quiet(steps: number): Promise<Map<number, string>> {
  quietRun ??= (async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "photos");
    await smallImages(data);
    const configuration = configurationFor(data, MOST_STEPS);
    const [port, httpPort] = (await freePorts(2)) as [number, number];
    const coordinator = await coordinatorProcess({ folder, configuration, port, httpPort });
    workerProcess(folder, port, "quiet");
    expect(await coordinator.exit(), coordinator.said).toBe(0);
    return hashes(join(folder, RUN));
  })();
  return new Map([...(await quietRun)].filter(([step]) => step <= steps));
}

describe.skipIf(!hasNatsServer())("coordinators that stand by for each other", () => {
  test("when the leader is killed, the other goes on by itself to the same parameters", async () => {
    const expected = await quiet(60);
    const here = await setting(60);
    const first = await candidate(here, "first");
    const holder = await leaderOtherThan(here, "");
    const second = await candidate(here, "second");
    const worker = workerOf(here);
    await statusWhere(first.httpPort, ({ step }) => step >= 12);
    await vi.waitUntil(() => second.process.said.includes("standing by"), PATIENCE);
    await first.process.kill();
    await leaderOtherThan(here, holder);
    expect(await second.process.exit(), second.process.said).toBe(0);
    expect(await hashes(second.runFolder)).toEqual(expected);
    const model = await readModel(join(second.runFolder, "model.safetensors"));
    expect(model.metadata.theta_sha256).toBe(expected.get(60));
    expect(await worker.exit(), worker.said).toBe(0);
  });

  test("a leader that was only paused stops when it wakes, stands by again, and ends with the finished model", async () => {
    const expected = await quiet(70);
    const here = await setting(70);
    const first = await candidate(here, "first");
    const holder = await leaderOtherThan(here, "");
    const second = await candidate(here, "second");
    workerOf(here);
    await statusWhere(first.httpPort, ({ step }) => step >= 12);
    first.process.pause();
    await leaderOtherThan(here, holder);
    first.process.goOn();
    await vi.waitUntil(() => first.process.said.includes("does not lead any more"), PATIENCE);
    expect(await second.process.exit(), second.process.said).toBe(0);
    expect(await first.process.exit(), first.process.said).toBe(0);
    for (const { runFolder } of [first, second]) {
      const model = await readModel(join(runFolder, "model.safetensors"));
      expect(model.metadata.theta_sha256).toBe(expected.get(70));
      expect(await hashes(runFolder)).toEqual(expected);
    }
  });

  test("a leader that is asked to stop steps down, and the other, alive but not ready until then, takes over without waiting", async () => {
    const here = await setting(404);
    const first = await candidate(here, "first");
    const holder = await leaderOtherThan(here, "");
    const second = await candidate(here, "second");
    workerOf(here);
    await statusWhere(first.httpPort, ({ step }) => step >= 3);
    await vi.waitUntil(() => second.process.said.includes("standing by"), PATIENCE);
    await vi.waitUntil(
      async () => (await answer(second, "/")).includes(`http://127.0.0.1:${first.httpPort}`),
      PATIENCE,
    );
    expect([await ready(first), await ready(second)]).toEqual([200, 503]);
    expect(await answer(second, "/healthz")).toBe("ok\n");
    expect(await first.process.terminate(), first.process.said).toBe(0);
    await leaderOtherThan(here, holder);
    expect(second.process.said).toContain("its leader stepped down");
    const { step } = await statusWhere(second.httpPort, ({ workers }) => workers.length > 0);
    expect(step).toBeGreaterThanOrEqual(3);
    expect(await ready(second)).toBe(200);
    expect(await findLeader(here.link, RUN, PATIENCE)).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test("a finished run that is stayed for is served by its leader, by the other after it, and again after a NATS that was away", async () => {
    const here = await setting(12);
    const first = await candidate(here, "first", "--stay");
    await leaderOtherThan(here, "");
    const second = await candidate(here, "second", "--stay");
    expect(await workerOf(here).exit()).toBe(0);
    const finished = ({ phase, step }: { phase: string; step: number }) => phase === "finished" && step === 12;
    const stays = ({ process }: Candidate) =>
      vi.waitUntil(() => process.said.includes("the model stay until"), PATIENCE);
    await stays(first);
    await statusWhere(first.httpPort, finished);
    expect([await ready(first), await ready(second)]).toEqual([200, 503]);
    // One that comes late finds the leader, and is sent home.
    expect(await workerOf(here).exit()).toBe(0);

    expect(await first.process.terminate(), first.process.said).toBe(0);
    await stays(second);
    await statusWhere(second.httpPort, finished);
    const [model, copy] = await Promise.all(
      [first, second].map(({ runFolder }) => readModel(join(runFolder, "model.safetensors"))),
    );
    expect(copy!.metadata.theta_sha256).toBe(model!.metadata.theta_sha256);
    expect(await workerOf(here).exit()).toBe(0);

    await here.stopNats();
    await vi.waitUntil(() => second.process.said.includes("standing by again"), PATIENCE);
    await here.startNats();
    await statusWhere(second.httpPort, finished);
    expect(await ready(second)).toBe(200);
    expect(await second.process.terminate(), second.process.said).toBe(0);
  });
});
