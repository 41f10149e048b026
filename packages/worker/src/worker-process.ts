/** A running worker: what surrounds its session, and the end of everything that was started for it. */
import { performance } from "node:perf_hooks";
import { messageOf, RunError } from "@mzsr/mzsr";
import type { Hello, NatsLink, Task, Welcome, WorkerHeartbeat } from "@mzsr/shared";
import type { Logger } from "pino";
import { AbandonedError, type ComputePool } from "./compute/compute-pool.js";
import { TaskRunner } from "./compute/task-runner.js";
import type { GpuReading } from "./gpu/nvidia-smi.js";
import { BusyRatio } from "./heartbeat/busy-ratio.js";
import { Heartbeats } from "./heartbeat/heartbeats.js";
import { ImageFiles } from "./images/image-files.js";
import { ImageStore } from "./images/image-store.js";
import type { WorkerMetrics } from "./metrics/worker-metrics.js";
import type { WorkerEnd } from "./options.js";
import type { ConnectionOptions } from "./session/grpc-connection.js";
import { SessionShell } from "./session/session-shell.js";
import { type WorkerEffect, WorkerSession } from "./session/worker-session.js";

export interface WorkerParts {
  readonly hello: Hello;
  readonly pool: ComputePool;
  /** Where the coordinator is, asked before every connection. */
  readonly target: () => Promise<ConnectionOptions>;
  readonly nats: NatsLink | undefined;
  readonly gpus: () => readonly GpuReading[];
  readonly metrics: WorkerMetrics;
  readonly cacheDir: string;
  readonly localImages: readonly string[];
  readonly imageMemoryBytes: number;
  /** Seconds without any connection at the start after which the worker gives up. */
  readonly connectTimeout: number;
  /** Ends what was started for the worker. */
  readonly release: () => Promise<void>;
  readonly logger: Logger;
}

type ComputeEffect = Extract<WorkerEffect, { type: "compute" }>;

export class WorkerProcess {
  readonly #parts: WorkerParts;
  readonly #tasks: TaskRunner;
  readonly #shell: SessionShell;
  readonly #busyRatio: BusyRatio;
  readonly #patience: NodeJS.Timeout;
  readonly #whenOver: (end: WorkerEnd | Error) => void;
  #heartbeats: Heartbeats | undefined;
  #tasksDone = 0;
  #welcomes = 0;
  #lastTrouble = "";
  #over = false;
  /** Resolves when all is released; rejects with a RunError when it could not go on. */
  readonly finished: Promise<WorkerEnd>;

  /** Begins to connect. */
  constructor(parts: WorkerParts) {
    this.#parts = parts;
    let whenOver: (end: WorkerEnd | Error) => void = () => undefined;
    this.finished = new Promise((resolve, reject) => {
      whenOver = (end) => (end instanceof Error ? reject(end) : resolve(end));
    });
    this.#whenOver = whenOver;
    this.#busyRatio = new BusyRatio(nowSeconds, () => parts.pool.busySeconds());
    this.#tasks = new TaskRunner(parts.pool, new ImageStore(this.#imageFiles(), parts.imageMemoryBytes));
    this.#patience = setTimeout(() => this.#noCoordinator(), parts.connectTimeout * 1000);
    this.#shell = new SessionShell(new WorkerSession({ hello: parts.hello, random: Math.random }), {
      target: parts.target,
      connected: () => clearTimeout(this.#patience),
      welcomed: (welcome) => this.#welcomed(welcome),
      disconnected: (reason, triesAgain) => this.#trouble(reason, triesAgain),
      streamHeartbeat: () => this.#heartbeats?.goesOverStream() ?? true,
      compute: (effect) => void this.#compute(effect),
      prepare: (task) => void this.#prepare(task),
      abandon: (lease) => this.#tasks.abandon(lease),
      ended: (reason, ok) => void this.#end({ reason, ok }),
    });
    this.#shell.handle({ type: "tick" });
  }

  drain(reason: string): void {
    this.#parts.logger.info({ reason }, "leaving");
    this.#shell.handle({ type: "leaveRequested", reason });
  }

  /** Ends because nothing can be computed any more. */
  fail(error: Error): void {
    void this.#end(new RunError(messageOf(error)));
  }

  #imageFiles(): ImageFiles {
    const { cacheDir, localImages, logger } = this.#parts;
    return new ImageFiles({
      cacheDir,
      localImages,
      logger,
      fetch: (image) => {
        const { connection } = this.#shell;
        if (connection === undefined) throw new Error(`image ${image.name}: not connected to the coordinator`);
        return connection.fetchImage(image);
      },
    });
  }

  #welcomed(welcome: Welcome): void {
    const { logger, metrics, hello, nats } = this.#parts;
    const { run, images, heartbeatSeconds, configuration } = welcome;
    this.#lastTrouble = "";
    metrics.run = run;
    this.#welcomes++;
    if (this.#welcomes > 1) metrics.reconnected();
    logger.info({ run, images: images.length }, this.#welcomes === 1 ? "joined" : "joined again");
    this.#tasks.use(welcome);
    this.#heartbeats?.stop();
    this.#heartbeats = new Heartbeats({
      run,
      worker: hello.worker,
      seconds: heartbeatSeconds,
      patience: configuration.cluster.patience,
      nats,
      read: () => this.#heartbeat(),
    });
  }

  #heartbeat(): WorkerHeartbeat {
    const { hello, pool, gpus, metrics } = this.#parts;
    metrics.busyRatio = this.#busyRatio.sample(pool.slots);
    const gpu = gpus()[0];
    return {
      worker: hello.worker,
      incarnation: hello.incarnation,
      at: Date.now(),
      busySlots: pool.busySlots,
      slots: pool.slots,
      backend: hello.backend,
      tasksDone: this.#tasksDone,
      busyRatio: metrics.busyRatio,
      rssBytes: process.memoryUsage.rss(),
      ...(gpu === undefined ? {} : { gpu }),
    };
  }

  async #prepare(task: Task): Promise<void> {
    const { logger } = this.#parts;
    const { step, index } = task;
    try {
      await this.#tasks.prepare(task, (seconds) => logger.debug({ step, index, seconds }, "made data ahead"));
    } catch (error) {
      logger.debug({ step, index, reason: messageOf(error) }, "a task could not be prepared");
    }
  }

  async #compute({ lease, task, theta }: ComputeEffect): Promise<void> {
    const { metrics, logger } = this.#parts;
    try {
      const outcome = await this.#tasks.compute(lease, task, theta);
      this.#tasksDone++;
      metrics.taskDone(outcome);
      const { step, index, dataSeconds, computeSeconds } = outcome;
      logger.debug({ step, index, dataSeconds, computeSeconds }, "computed a task");
      this.#shell.handle({ type: "computed", outcomes: [{ lease, outcome }] });
    } catch (error) {
      if (error instanceof AbandonedError) {
        metrics.taskEnded("abandoned");
        return;
      }
      const reason = messageOf(error);
      metrics.taskEnded("failed");
      logger.warn({ step: task.step, index: task.index, reason }, "a task failed");
      this.#shell.handle({ type: "computeFailed", lease, reason });
    }
  }

  /** Said once per reason, not once per attempt. */
  #trouble(reason: string, triesAgain: boolean): void {
    if (reason === this.#lastTrouble && triesAgain) return;
    this.#lastTrouble = reason;
    this.#heartbeats?.stop();
    this.#parts.logger.warn({ reason }, `not connected to the coordinator; ${triesAgain ? "trying again" : "leaving"}`);
  }

  #noCoordinator(): void {
    const seconds = `${this.#parts.connectTimeout} s`;
    const why = this.#lastTrouble === "" ? "" : ` (${this.#lastTrouble})`;
    const expected = "expected the address of a running `mzsr coordinator` that this machine can reach";
    // It may come yet: whoever starts workers is to try again.
    void this.#end(new RunError(`--coordinator: no coordinator answered within ${seconds}${why}; ${expected}`));
  }

  async #end(end: WorkerEnd | Error): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#patience);
    this.#heartbeats?.stop();
    this.#shell.close();
    await this.#parts.release();
    if (!(end instanceof Error)) this.#parts.logger.info({ ...end }, "left");
    this.#whenOver(end);
  }
}

function nowSeconds(): number {
  return performance.now() / 1000;
}
