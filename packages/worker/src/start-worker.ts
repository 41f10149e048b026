import { randomBytes, randomUUID } from "node:crypto";
import { hostname, totalmem } from "node:os";
import { performance } from "node:perf_hooks";
import { InputError } from "@mzsr/mzsr";
import { type BackendName, connectNats, type Hello, type NatsLink, PROTOCOL_VERSION } from "@mzsr/shared";
import type { Logger } from "pino";
import type { Computer, OnFinished } from "./compute/computer.js";
import { startComputer } from "./compute/start-computer.js";
import { GpuWatch } from "./gpu/gpu-watch.js";
import { type MetricsServer, serveMetrics } from "./metrics/metrics-server.js";
import { WorkerMetrics } from "./metrics/worker-metrics.js";
import type { RunningWorker, WorkerOptions } from "./options.js";
import { coordinatorAddress } from "./session/address.js";
import { channelCredentials } from "./session/credentials.js";
import { WORKER_VERSION } from "./version.js";
import { WorkerProcess } from "./worker-process.js";

const GPU_BACKENDS: readonly BackendName[] = ["cuda", "webgpu"];
const MOST_SLOTS = 1024;

/** Decoded images may take this share of the machine's memory, and no more than 4 GiB. */
const IMAGE_MEMORY_SHARE = 0.25;
const MOST_IMAGE_MEMORY_BYTES = 4 * 2 ** 30;

const CONNECT_TIMEOUT_SECONDS = 60;

/**
 * Starts a worker: compute threads, metrics and heartbeats, and a session that looks for the coordinator. Resolves when
 * the threads are ready; `finished` of the result tells how it ends.
 *
 * @throws InputError when an option is not usable: address, backend, slots, a TLS or NATS file, the metrics port
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { logger } = options;
  checkOptions(options);
  const worker = options.name ?? `${hostname()}-${randomBytes(3).toString("hex")}`;
  let life: WorkerProcess | undefined;
  const computer = await start(options, {
    finished: (finished) => life?.tasksEnded(finished),
    onBroken: (error) => life?.fail(error),
  });
  const gpus = GPU_BACKENDS.includes(computer.backend.name) ? new GpuWatch() : undefined;
  let nats: NatsLink | undefined;
  let metricsServer: MetricsServer | undefined;
  const release = async () => {
    gpus?.stop();
    await Promise.all([computer.close(), nats?.close(), metricsServer?.close()]);
  };
  try {
    const metrics = new WorkerMetrics({
      worker,
      backend: computer.backend.name,
      slots: () => computer.slots,
      tensorBytes: () => computer.tensorBytes,
      gpus: () => gpus?.readings ?? [],
      batches: () => computer.batches,
    });
    metricsServer = await startMetrics(options, metrics);
    nats = startNats(options, worker);
    life = new WorkerProcess({
      hello: helloOf(worker, computer, metricsServer?.address ?? ""),
      computer,
      target: async () => ({
        address: await findCoordinator(options),
        token: options.token ?? "",
        tls: options.tls,
        proxy: options.proxy ?? false,
      }),
      nats,
      gpus: () => gpus?.readings ?? [],
      metrics,
      cacheDir: options.cacheDir,
      localImages: options.localImages ?? [],
      imageMemoryBytes: options.imageMemoryBytes ?? defaultImageMemory(),
      connectTimeout: options.connectTimeout ?? CONNECT_TIMEOUT_SECONDS,
      release,
      logger,
    });
  } catch (error) {
    await release();
    throw error;
  }
  const { finished } = life;
  return {
    name: worker,
    backend: computer.backend,
    slots: computer.slots,
    metricsAddress: metricsServer?.address ?? "",
    finished,
    drain: (reason) => life.drain(reason),
  };
}

/** All that can be wrong before anything is started. */
function checkOptions({ coordinator, slots, tls }: WorkerOptions): void {
  if (typeof coordinator === "string") coordinatorAddress(coordinator);
  channelCredentials(tls);
  if (slots !== undefined && !(Number.isInteger(slots) && slots >= 1 && slots <= MOST_SLOTS)) {
    throw new InputError(`${slots} is not a number of slots`, { expected: `a whole number from 1 to ${MOST_SLOTS}` });
  }
}

async function start(
  options: WorkerOptions,
  told: { readonly finished: OnFinished; readonly onBroken: (error: Error) => void },
): Promise<Computer> {
  const { logger, backend: asked, slots, cores, device, gpuMemoryBytes } = options;
  logger.info({ backend: asked }, "starting to compute");
  const computer = await startComputer({
    ...{ backend: asked, slots, cores, device, gpuMemoryBytes, ...told },
    onCrash: (reason) => logger.error({ reason }, "what computes has failed; starting it again"),
    now: () => performance.now() / 1000,
  });
  const { name: backend, description, reasons } = computer.backend;
  for (const passed of reasons) logger.info(passed, "backend not taken");
  logger.info({ backend, description, slots: computer.slots }, "ready to compute");
  return computer;
}

async function startMetrics(options: WorkerOptions, metrics: WorkerMetrics): Promise<MetricsServer | undefined> {
  const { metricsPort, metricsHost = "127.0.0.1", http, logger } = options;
  if (metricsPort === undefined) return undefined;
  const onError = (reason: string) => logger.warn({ reason }, "/metrics could not be served");
  const server = await serveMetrics(metrics.registry, { port: metricsPort, host: metricsHost, guard: http, onError });
  logger.info({ address: server.address }, "serving /metrics");
  return server;
}

function startNats({ nats, logger }: WorkerOptions, worker: string): NatsLink | undefined {
  if (nats === undefined) return undefined;
  return connectNats({ ...nats, role: "worker" }, `mzsr worker ${worker}`, (connected, reason) =>
    natsNews(logger, connected, reason),
  );
}

function natsNews(logger: Logger, connected: boolean, reason: string): void {
  if (connected) logger.info({ reason }, "NATS carries the heartbeats");
  else logger.warn({ reason }, "NATS is away; heartbeats go over the session's stream");
}

function helloOf(worker: string, computer: Computer, metricsAddress: string): Hello {
  return {
    protocolVersion: PROTOCOL_VERSION,
    worker,
    incarnation: randomUUID(),
    backend: computer.backend.name,
    slots: computer.slots,
    version: WORKER_VERSION,
    host: hostname(),
    metricsAddress,
  };
}

async function findCoordinator({ coordinator }: WorkerOptions): Promise<string> {
  return coordinatorAddress(typeof coordinator === "string" ? coordinator : await coordinator());
}

function defaultImageMemory(): number {
  return Math.min(MOST_IMAGE_MEMORY_BYTES, Math.floor(totalmem() * IMAGE_MEMORY_SHARE));
}
