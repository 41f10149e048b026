/** A whole worker (threads, cache, session) against a coordinator made for the test, over real sockets. */
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { type Dataset, drawTask, loadDataset, RunSchedule } from "@mzsr/coordinator";
import { createImage, Draws, encodePng, InputError, initialParameters, RunError } from "@mzsr/mzsr";
import { configurationSchema, connectNats, floatsFromBytes, heartbeatFromBytes, heartbeatSubject } from "@mzsr/shared";
import { FakeCoordinator, type FakeSession } from "@mzsr/testing/fake-coordinator";
import { hasNatsServer, startNatsServer } from "@mzsr/testing/nats-server";
import { sharedFolder, temporaryFolder } from "@mzsr/testing/temporary-folder";
import { type RunningWorker, startWorker, type WorkerOptions } from "@mzsr/worker";
import { pino } from "pino";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";

/** As small as a run can be, so that the plain JavaScript backend is quick. */
const settings = {
  model: { depth: 2, width: 4 },
  degradation: { kernelSize: 5 },
  patches: { stride: 8 },
  pretraining: { steps: 4, batch: 4, tasks: 2, patchSize: 16 },
  metaTraining: { steps: 4, tasks: 2, support: 2, query: 2, patchSize: 16, innerSteps: 2, learnedRates: true },
};
const configuration = configurationSchema.parse(settings);
const theta = initialParameters(configuration.model, new Draws(1, [9, 9, 9]), configuration.metaTraining);

let files: { name: string; content: Buffer }[];
let dataset: Dataset;
const folder = sharedFolder();
beforeAll(async () => {
  files = [];
  for (const seed of [1, 2]) {
    const values = Float32Array.from({ length: 40 * 48 * 3 }, (_, i) => (((i * 7919 * seed) % 251) + (i % 97)) / 400);
    files.push({ name: `${seed}.png`, content: await encodePng(createImage(40, 48, 3, values)) });
  }
  for (const { name, content } of files) await writeFile(join(folder, name), content);
  dataset = await loadDataset(
    files.map(({ name }) => join(folder, name)),
    configuration,
  );
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function coordinate(sent: typeof files = files, port = 0): Promise<FakeCoordinator> {
  const coordinator = await new FakeCoordinator(files.map((file, i) => ({ ...file, sent: sent[i]!.content }))).listen(
    port,
  );
  cleanUps.push(() => coordinator.kill());
  return coordinator;
}

async function work(coordinator: string, options: Partial<WorkerOptions> = {}): Promise<RunningWorker> {
  const cacheDir = await temporaryFolder();
  const logger = pino({ level: "silent" });
  const worker = await startWorker({ coordinator, backend: "cpu", slots: 1, cacheDir, logger, ...options });
  cleanUps.push(async () => {
    worker.drain("the test is over");
    worker.drain("now");
    await worker.finished.catch(() => undefined);
  });
  return worker;
}

function assign(session: FakeSession, step: number, indices: number[], parameters = theta): void {
  const stage = step < 4 ? "pretraining" : "metaTraining";
  session.send({ type: "parameters", stage, step, theta: parameters });
  const leases = indices.map((index) => ({
    id: `${step}/${index}`,
    task: drawTask(new RunSchedule(configuration), dataset.positions, step, index),
    groupable: false,
  }));
  session.send({ type: "assign", leases });
}

async function result(session: FakeSession, lease: string) {
  const { report, gradient } = await session.next("result", (message) => message.lease === lease);
  return { ...report, gradient: floatsFromBytes(gradient, "gradient") };
}

describe("a worker", () => {
  it("introduces itself, computes tasks of both stages, and leaves when the run is finished", async () => {
    const coordinator = await coordinate();
    const worker = await work(coordinator.address, { name: "w", slots: 2, token: "secret" });
    const session = await coordinator.welcome(settings);
    expect(session.received[0]).toMatchObject({ worker: "w", backend: "cpu", slots: 2 });
    expect(session.token).toBe("secret");
    assign(session, 0, [0, 1]);
    const pretraining = await result(session, "0/1");
    expect(pretraining).toMatchObject({ stage: "pretraining", step: 0, index: 1, queryLosses: [] });
    expect(pretraining.gradient.length).toBe(theta.length);
    expect(pretraining.gradient.subarray(-8).every((value) => value === 0)).toBe(true);
    expect(pretraining.gradient.some((value) => value !== 0)).toBe(true);
    assign(session, 4, [0]);
    const meta = await result(session, "4/0");
    expect([meta.stage, meta.supportLosses.length, meta.queryLosses.length]).toEqual(["metaTraining", 2, 3]);
    expect(meta.gradient.subarray(-8).some((value) => value !== 0)).toBe(true);
    expect(meta.computeSeconds).toBeGreaterThan(0);
    session.send({ type: "drain", reason: "finished", finished: true });
    expect(await worker.finished).toEqual({ reason: "finished", ok: true });
    await session.ended();
  });

  it("gives the same bytes for the same task, on any worker and thread", async () => {
    const coordinator = await coordinate();
    const gradients = [];
    for (const slots of [1, 2]) {
      await work(coordinator.address, { slots });
      const session = await coordinator.welcome(settings);
      assign(session, 5, [0, 1]);
      gradients.push((await result(session, "5/0")).gradient, (await result(session, "5/1")).gradient);
    }
    expect(gradients[2]).toEqual(gradients[0]);
    expect(gradients[3]).toEqual(gradients[1]);
    expect(gradients[1]).not.toEqual(gradients[0]);
  });

  it("fetches an image once, and not at all when the cache or a local folder has it", async () => {
    const coordinator = await coordinate();
    const cacheDir = await temporaryFolder();
    for (const options of [{ cacheDir }, { cacheDir }, { localImages: [folder] }]) {
      await work(coordinator.address, options);
      const session = await coordinator.welcome(settings);
      assign(session, 1, [0, 1]);
      await result(session, "1/0");
      await result(session, "1/1");
    }
    expect([...coordinator.imagesAsked].sort()).toEqual(["1.png", "2.png"]);
    const cached = readdirSync(cacheDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(cached.map((entry) => entry.name).sort()).toEqual(dataset.images.map((image) => image.sha256).sort());
  });

  it("refuses an image of another content, says which, and goes on", async () => {
    const broken = [files[0]!, { name: "2.png", content: Buffer.from("not the picture") }];
    const coordinator = await coordinate(broken);
    await work(coordinator.address);
    const session = await coordinator.welcome(settings);
    const indices = Array.from({ length: 8 }, (_, i) => i);
    assign(session, 5, indices);
    const withImage = (image: number) =>
      indices.find((index) => {
        const task = drawTask(new RunSchedule(configuration), dataset.positions, 5, index);
        return [...task.support, ...task.query].every((patch) => patch.image === image) === (image === 0);
      });
    const failure = await session.next("failure", ({ lease }) => lease === `5/${withImage(1)}`);
    expect(failure.reason).toMatch(/image 2\.png from the coordinator is 15 bytes with SHA-256 .* expected/);
    const good = withImage(0);
    if (good !== undefined) await result(session, `5/${good}`);
  });

  it("gives the reason of a task that cannot be computed, and computes the next", async () => {
    const coordinator = await coordinate();
    await work(coordinator.address);
    const session = await coordinator.welcome(settings);
    assign(session, 2, [0], theta.subarray(1));
    expect((await session.next("failure")).reason).toMatch(/parameters/);
    assign(session, 3, [0]);
    await result(session, "3/0");
  });

  it("finishes its tasks before it leaves", async () => {
    const coordinator = await coordinate();
    const worker = await work(coordinator.address);
    const session = await coordinator.welcome(settings);
    assign(session, 4, [0]);
    session.send({ type: "cancel", leases: ["none"] });
    // The session is dealt with in order: a second lease that fails tells that the first was taken.
    session.send({
      type: "assign",
      leases: [{ id: "x", task: drawTask(new RunSchedule(configuration), dataset.positions, 6, 0), groupable: false }],
    });
    expect((await session.next("failure")).reason).toMatch(/step 6 have not arrived/);
    worker.drain("terminated");
    await result(session, "4/0");
    expect(await worker.finished).toMatchObject({ reason: "terminated", ok: true });
    expect((await session.next("goodbye")).reason).toBe("terminated");
  });
});

describe("a worker whose coordinator", () => {
  it("dies comes back to it by itself, as the same worker", async () => {
    const coordinator = await coordinate();
    await work(coordinator.address);
    const first = await coordinator.welcome(settings);
    coordinator.kill();
    await first.ended();
    const next = await coordinate(files, coordinator.port);
    const second = await next.welcome(settings);
    expect(second.received[0]).toEqual(first.received[0]);
    assign(second, 0, [0]);
    await result(second, "0/0");
  });

  it("says what it cannot understand leaves, and tries again", async () => {
    const coordinator = await coordinate();
    await work(coordinator.address);
    const first = await coordinator.session();
    const foreign = { ...configuration, colour: "red" };
    const { images } = coordinator;
    first.send({ type: "welcome", run: "r", configuration: foreign, images, heartbeatSeconds: 1, incarnation: "1" });
    await first.ended();
    const second = await coordinator.welcome(settings);
    assign(second, 0, [0]);
    await result(second, "0/0");
  });

  it("moves is found at its new address", async () => {
    const [first, second] = [await coordinate(), await coordinate()];
    let address = first.address;
    await work("unused", { coordinator: async () => address });
    await first.welcome(settings);
    address = second.address;
    first.kill();
    await second.welcome(settings);
  });

  it("refuses it for good ends, with the reason, and does not say that it tries again", async () => {
    const coordinator = await coordinate();
    const said: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => said.push((JSON.parse(line) as { msg: string }).msg) });
    const worker = await work(coordinator.address, { logger });
    const session = await coordinator.session();
    session.send({ type: "refusal", reason: "the token is not right", retry: false });
    expect(await worker.finished).toEqual({ reason: "the token is not right", ok: false });
    expect(said).toEqual(["not connected to the coordinator; leaving"]);
  });

  it("refuses it for now tries again, and says so", async () => {
    const coordinator = await coordinate();
    const said: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => said.push((JSON.parse(line) as { msg: string }).msg) });
    await work(coordinator.address, { logger });
    (await coordinator.session()).send({ type: "refusal", reason: "the name is taken", retry: true });
    await coordinator.welcome(settings);
    expect(said).toEqual(["not connected to the coordinator; trying again"]);
  });

  it("is not there gives up after its patience, naming the address and why", async () => {
    const worker = await work("127.0.0.1:1", { connectTimeout: 0.5 });
    const error = await worker.finished.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunError);
    expect(String(error)).toMatch(/no coordinator answered .*127\.0\.0\.1:1.*ECONNREFUSED|ECONNREFUSED 127\.0\.0\.1:1/);
  });
});

describe("a proxy that the environment names", () => {
  afterEach(() => void vi.unstubAllEnvs());

  const PROXIES = ["http_proxy", "https_proxy", "grpc_proxy", "all_proxy"];

  it("is nothing to a worker", async () => {
    for (const name of PROXIES) vi.stubEnv(name, "http://127.0.0.1:1");
    const coordinator = await coordinate();
    await work(coordinator.address);
    await coordinator.welcome(settings);
  });

  it("is used when asked for", async () => {
    const tunnels: string[] = [];
    const proxy = createHttpServer().on("connect", (request, client) => {
      tunnels.push(request.url!);
      const target = connect(Number(request.url!.split(":")[1]), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        target.pipe(client).pipe(target);
      });
      target.on("error", () => client.destroy());
      client.on("error", () => target.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    cleanUps.push(() => proxy.close());
    vi.stubEnv("grpc_proxy", `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const coordinator = await coordinate();
    await work(coordinator.address, { proxy: true });
    await coordinator.welcome(settings);
    expect(tunnels).toContain(coordinator.address);
  });

  it("that does not answer is told of in words", async () => {
    vi.stubEnv("grpc_proxy", "http://127.0.0.1:1");
    const worker = await work("127.0.0.1:2", { proxy: true, connectTimeout: 1 });
    await expect(worker.finished).rejects.toThrow(
      /within 1 s \(no connection to 127\.0\.0\.1:2, through the proxy that the environment names/,
    );
  });
});

describe("a port that speaks something else", () => {
  it("is reported once, however often it is tried", async () => {
    const other = createHttpServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const warnings: string[] = [];
    const logger = pino(
      { level: "warn" },
      { write: (line) => warnings.push((JSON.parse(line) as { reason: string }).reason) },
    );
    const { port } = other.address() as AddressInfo;
    const worker = await work(`127.0.0.1:${port}`, { connectTimeout: 1, logger });
    await expect(worker.finished).rejects.toThrow(/no coordinator answered within 1 s \(.*Protocol error.*\)/);
    expect(new Set(warnings).size).toBe(warnings.length);
    for (const reason of warnings) expect(reason).not.toMatch(/Last error|Resolution note|\dZ/);
    other.closeAllConnections();
    other.close();
  });
});

describe("a worker does not start", () => {
  it.each([
    [
      "with an address that is none",
      { coordinator: "here" },
      /"here" is not a coordinator's address; expected host:port/,
    ],
    ["with a port that is none", { coordinator: "a:99999" }, /"a:99999"/],
    ["without slots", { slots: 0 }, /0 is not a number of slots/],
    [
      "with a certificate that is not there",
      { tls: { caFile: "/no/such.pem" } },
      /--tls-ca \/no\/such\.pem: cannot be read/,
    ],
  ])("%s", async (_, options, message) => {
    const started = work("127.0.0.1:1", options);
    await expect(started).rejects.toThrow(message);
    await expect(started).rejects.toBeInstanceOf(InputError);
  });

  it("when its metrics port is taken, and leaves nothing running", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    cleanUps.push(() => other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const started = work("127.0.0.1:1", { metricsPort: port });
    await expect(started).rejects.toThrow(
      new RegExp(`127\\.0\\.0\\.1:${port}: port ${port} is in use.*--metrics-port`),
    );
  });
});

describe("a worker's metrics", () => {
  it("are those of the design, with its name and the run's", async () => {
    const coordinator = await coordinate();
    const worker = await work(coordinator.address, { name: "w", metricsPort: 0 });
    const session = await coordinator.welcome(settings);
    expect(session.received[0]).toMatchObject({ metricsAddress: worker.metricsAddress });
    assign(session, 0, [0]);
    await result(session, "0/0");
    const text = await (await fetch(`http://${worker.metricsAddress}/metrics`)).text();
    for (const line of [
      'mzsr_worker_tasks_total{worker="w",run="test",outcome="done"} 1',
      'mzsr_worker_task_seconds_count{worker="w",run="test",part="compute"} 1',
      'mzsr_worker_slots{worker="w",run="test"} 1',
      'mzsr_worker_backend_info{worker="w",run="test",backend="cpu"} 1',
      "process_resident_memory_bytes ",
    ]) {
      expect(text).toContain(line);
    }
    for (const name of ["mzsr_worker_busy_ratio", "mzsr_worker_tensor_bytes", "mzsr_worker_reconnects_total"]) {
      expect(text).toContain(`# HELP ${name} `);
    }
    expect(await (await fetch(`http://${worker.metricsAddress}/healthz`)).text()).toBe("ok\n");
    expect((await fetch(`http://${worker.metricsAddress}/`)).status).toBe(404);
  });
});

describe.skipIf(!hasNatsServer())("a worker's heartbeats", () => {
  it("go over NATS, over the stream while NATS is away, and over NATS again", async () => {
    const server = await startNatsServer();
    cleanUps.push(() => server.stop());
    const nats = { servers: [server.address] };
    const observer = connectNats(nats, "observer");
    cleanUps.push(() => observer.close());
    await observer.whenConnected(10_000);
    const heard = (): Promise<ReturnType<typeof heartbeatFromBytes>> =>
      new Promise((resolve) => {
        const stop = observer.subscribe(heartbeatSubject("test"), ({ data }) => {
          stop();
          resolve(heartbeatFromBytes(data));
        });
      });
    const coordinator = await coordinate();
    const first = heard();
    await work(coordinator.address, { name: "w", nats });
    const session = await coordinator.welcome(settings, 0.05);
    expect(await first).toMatchObject({ worker: "w", slots: 1, backend: "cpu", tasksDone: 0 });
    const away = new Promise<void>((resolve) => {
      observer.onChange((connected) => !connected && resolve());
    });
    await server.stop();
    await away;
    const sofar = session.received.length;
    await session.next("heartbeat", (message) => session.received.indexOf(message) >= sofar);
    const back = await startNatsServer(server.port);
    cleanUps.push(() => back.stop());
    await observer.whenConnected(20_000);
    expect(await heard()).toMatchObject({ worker: "w" });
  });
});
