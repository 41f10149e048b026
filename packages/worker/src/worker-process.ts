/** A running worker: what surrounds its session, and the end of everything that was started for it. */
import { performance } from "node:perf_hooks";
import { messageOf, RunError } from "@mzsr/mzsr";
import type { Hello, NatsLink, Task, TaskOutcome, Welcome, WorkerHeartbeat } from "@mzsr/shared";
import type { Logger } from "pino";
import { AbandonedError, type Computer, type FinishedTask } from "./compute/computer.js";
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
import { WorkerSession } from "./session/worker-session.js";

export interface WorkerParts {
  readonly hello: Hello;
  readonly computer: Computer;
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

export class WorkerProcess {
  readonly #parts: WorkerParts;
  readonly #tasks: TaskRunner;
  #shell: SessionShell;
  readonly #busyRatio: BusyRatio;
  readonly #patience: NodeJS.Timeout;
  readonly #whenOver: (end: WorkerEnd | Error) => void;
  #heartbeats: Heartbeats | undefined;
  #tasksDone = 0;
  #welcomes = 0;
  #lastTrouble = "";
  /** Slots that the coordinator was told of. */
  #toldSlots = 0;
  #joinsAgain = false;
  #lastLine = "";
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
    this.#busyRatio = new BusyRatio(nowSeconds, () => parts.computer.busySeconds());
    this.#tasks = new TaskRunner(
      parts.computer,
      new ImageStore(this.#imageFiles(), parts.imageMemoryBytes),
      (finished) => this.tasksEnded(finished),
    );
    this.#patience = setTimeout(() => this.#noCoordinator(), parts.connectTimeout * 1000);
    this.#shell = this.#connect();
  }

  drain(reason: string): void {
    this.#parts.logger.info({ reason }, "leaving");
    this.#shell.handle({ type: "leaveRequested", reason });
  }

  /** Tells the coordinator of tasks that ended together. */
  tasksEnded(finished: readonly FinishedTask[]): void {
    for (const each of finished) {
      if ("error" in each) this.#taskFailed(each);
      else this.#taskComputed(each.outcome);
    }
    const outcomes = finished.filter((each) => "outcome" in each);
    if (outcomes.length > 0) this.#shell.handle({ type: "computed", outcomes });
    for (const each of finished) {
      if ("outcome" in each || each.error instanceof AbandonedError) continue;
      this.#shell.handle({ type: "computeFailed", lease: each.lease, reason: messageOf(each.error) });
    }
  }

  /** Ends because nothing can be computed any more. */
  fail(error: Error): void {
    void this.#end(new RunError(messageOf(error)));
  }

  /** Begins a session that offers the slots that there are now. */
  #connect(): SessionShell {
    const { hello, computer, target } = this.#parts;
    const session = new WorkerSession({ hello: { ...hello, slots: computer.slots }, random: Math.random });
    this.#toldSlots = computer.slots;
    const shell = new SessionShell(session, {
      target,
      connected: () => clearTimeout(this.#patience),
      welcomed: (welcome) => this.#welcomed(welcome),
      disconnected: (reason, triesAgain) => this.#trouble(reason, triesAgain),
      streamHeartbeat: () => this.#heartbeats?.goesOverStream() ?? true,
      compute: ({ lease, task, theta }) => void this.#tasks.compute(lease, task, theta),
      prepare: (task) => void this.#prepare(task),
      abandon: (lease) => this.#tasks.abandon(lease),
      ended: (reason, ok) => this.#sessionEnded(reason, ok),
    });
    shell.handle({ type: "tick" });
    return shell;
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
    if (!this.#fits(welcome)) return;
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

  /**
   * Learns what the run's tasks are like. How many fit at once is known only now: where the coordinator was told another
   * number, the worker leaves and joins again with the right one.
   * @returns whether the session goes on
   */
  #fits(welcome: Welcome): boolean {
    const { computer, logger } = this.#parts;
    try {
      const line = this.#tasks.use(welcome);
      if (line !== undefined && line !== this.#lastLine) logger.info({ slots: computer.slots }, line);
      this.#lastLine = line ?? "";
    } catch (error) {
      void this.#end(error as Error);
      return false;
    }
    if (computer.slots === this.#toldSlots) return true;
    this.#joinsAgain = true;
    this.#shell.handle({ type: "leaveRequested", reason: `joins again with ${computer.slots} slots` });
    return false;
  }

  #sessionEnded(reason: string, ok: boolean): void {
    if (!this.#joinsAgain) {
      void this.#end({ reason, ok });
      return;
    }
    this.#joinsAgain = false;
    this.#shell = this.#connect();
  }

  #heartbeat(): WorkerHeartbeat {
    const { hello, computer, gpus, metrics } = this.#parts;
    metrics.busyRatio = this.#busyRatio.sample(computer.slots);
    const gpu = gpus()[0];
    return {
      worker: hello.worker,
      incarnation: hello.incarnation,
      at: Date.now(),
      busySlots: computer.busySlots,
      slots: computer.slots,
      backend: hello.backend,
      tasksDone: this.#tasksDone,
      busyRatio: metrics.busyRatio,
      rssBytes: process.memoryUsage.rss(),
      ...(gpu === undefined ? {} : { gpu }),
      ...(computer.batches === undefined ? {} : { batches: computer.batches }),
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

  #taskComputed(outcome: TaskOutcome): void {
    const { metrics, logger } = this.#parts;
    const { step, index, dataSeconds, computeSeconds } = outcome;
    this.#tasksDone++;
    metrics.taskDone(outcome);
    logger.debug({ step, index, dataSeconds, computeSeconds }, "computed a task");
  }

  #taskFailed({ task: { step, index }, error }: { readonly task: Task; readonly error: Error }): void {
    const { metrics, logger } = this.#parts;
    if (error instanceof AbandonedError) {
      metrics.taskEnded("abandoned");
      return;
    }
    metrics.taskEnded("failed");
    logger.warn({ step, index, reason: messageOf(error) }, "a task failed");
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
