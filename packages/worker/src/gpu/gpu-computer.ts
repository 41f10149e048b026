/**
 * Computes a worker's tasks on a GPU, many at once (packages/engine-webgpu). One thread has the GPU; others make tasks'
 * data meanwhile. Leases that wait go to the GPU together, and end together. A GPU that is lost fails the tasks that it had, and
 * is opened again.
 */
import { isDeepStrictEqual } from "node:util";
import type { AdapterDescription } from "@mzsr/engine-webgpu";
import { type Image, messageOf, RunError } from "@mzsr/mzsr";
import type { Configuration, Task } from "@mzsr/shared";
import type { StartedBackend } from "../compute/compute-messages.js";
import {
  AbandonedError,
  type BatchTelemetry,
  type Computer,
  type FinishedTask,
  type OnFinished,
  type TaskRequest,
} from "../compute/computer.js";
import type { MadeData } from "../compute/prepared-data.js";
import { BatchQueue, type WaitingTask } from "./batch-queue.js";
import { RecentBatches } from "./batch-times.js";
import { DataThreads, type OrderedData } from "./data-threads.js";
import type { Batch, FromGpuThread } from "./gpu-messages.js";
import { MOST_TASKS, planRun, type RunPlan, type StagePlan } from "./run-plan.js";
import { type GpuThread, startGpuThread } from "./start-gpu-thread.js";

/** A GPU that is lost this often without a batch in between is not opened again. */
const MAX_DEATHS_IN_A_ROW = 5;

/** One batch computes while the next is uploaded. */
const IN_FLIGHT = 2;

/** Tasks whose data are kept ahead, beside one for each slot: some may have gone to somebody else. */
const PREPARED_MORE = 2;

export interface GpuComputerOptions {
  /** Which of the GPUs; by default the one that the driver prefers. */
  readonly device?: number | undefined;
  /** Tasks taken at a time; by default as many as the memory does for, up to 32. */
  readonly slots?: number | undefined;
  /** Threads that make tasks' data. */
  readonly dataThreads: number;
  /** Bytes of the GPU's memory that may be taken. */
  readonly memoryBytes: (adapter: AdapterDescription) => Promise<number>;
  readonly finished: OnFinished;
  /** Told when the GPU was lost, and why; it is opened again. */
  readonly onCrash?: (reason: string) => void;
  /** Told when nothing can be computed any more. */
  readonly onBroken?: (error: Error) => void;
  /** Seconds on a clock that never goes back. */
  readonly now: () => number;
  /** The GPU thread's script; another one in tests. */
  readonly entry?: URL;
  /** The script of the threads that make data. */
  readonly dataEntry?: URL;
}

interface Job extends WaitingTask {
  ready: boolean;
  /** When it was leased, in seconds. */
  readonly since: number;
  request: TaskRequest | undefined;
  made: MadeData | undefined;
  ordered: OrderedData | undefined;
}

interface Sent {
  readonly jobs: readonly Job[];
  /** Seconds that the GPU had nothing to do while it waited for its data. */
  readonly waited: number;
}

export class GpuComputer implements Computer {
  readonly tensorBytes = 0;
  readonly backend: StartedBackend;
  readonly adapter: AdapterDescription;
  readonly #options: GpuComputerOptions;
  readonly #memoryBytes: number;
  readonly #data: DataThreads;
  readonly #queue = new BatchQueue<Job>();
  readonly #inFlight = new Map<number, Sent>();
  readonly #recent = new RecentBatches();
  #prepared: { readonly task: Task; readonly ordered: OrderedData }[] = [];
  #thread: GpuThread | undefined;
  #plan: RunPlan | undefined;
  #nextId = 0;
  #deathsInARow = 0;
  #roomSince: number;
  #busySince = 0;
  #finishedBusySeconds = 0;
  #closed = false;

  /** Use `GpuComputer.start`. */
  private constructor(options: GpuComputerOptions, thread: GpuThread, memoryBytes: number) {
    this.#options = options;
    this.#memoryBytes = memoryBytes;
    this.adapter = thread.adapter;
    this.backend = { name: "webgpu", description: descriptionOf(thread.adapter), reasons: [] };
    this.#data = new DataThreads(options.dataThreads, options.dataEntry);
    this.#roomSince = options.now();
    this.#adopt(thread);
  }

  /** @throws InputError when there is no such GPU; RunError when it does not start */
  static async start(options: GpuComputerOptions): Promise<GpuComputer> {
    const thread = await startGpuThread(options.device, options.entry);
    try {
      return new GpuComputer(options, thread, await options.memoryBytes(thread.adapter));
    } catch (error) {
      await thread.worker.terminate();
      throw error;
    }
  }

  get slots(): number {
    return this.#options.slots ?? this.#plan?.slots ?? MOST_TASKS;
  }

  get busySlots(): number {
    return [...this.#inFlight.values()].reduce((sum, { jobs }) => sum + jobs.length, this.#queue.size);
  }

  get batches(): BatchTelemetry | undefined {
    return this.#recent.telemetry;
  }

  /** The time in which the GPU had a batch, counted once for each slot. */
  busySeconds(): number {
    const running = this.#inFlight.size > 0 ? this.#options.now() - this.#busySince : 0;
    return (this.#finishedBusySeconds + running) * this.slots;
  }

  use(configuration: Configuration): string {
    for (const { ordered } of this.#prepared.splice(0)) ordered.drop();
    this.#plan = planRun(configuration, {
      tasks: Math.min(MOST_TASKS, this.#options.slots ?? MOST_TASKS),
      memoryBytes: this.#memoryBytes,
      limits: this.adapter.limits,
    });
    return this.#plan.line;
  }

  expect(lease: string, task: Task): void {
    const since = this.#options.now();
    this.#queue.add({ lease, task, ready: false, since, request: undefined, made: undefined, ordered: undefined });
  }

  compute(lease: string, request: TaskRequest): void {
    const { task } = request;
    if (this.#closed) {
      this.#options.finished([{ lease, task, error: new AbandonedError("the worker is stopping") }]);
      return;
    }
    if (this.#queue.find(lease) === undefined) this.expect(lease, task);
    const job = this.#queue.find(lease)!;
    job.request = request;
    job.ordered = this.#takePrepared(task) ?? this.#data.make(task, request.crops, true);
    job.ordered.hurry();
    job.ordered.made.then(
      (made) => {
        job.made = made;
        job.ready = true;
        this.#dispatch();
      },
      (error: Error) => this.#dropJob(lease, error),
    );
  }

  prepare(task: Task, crops: readonly Image[], made: (seconds: number) => void = () => undefined): void {
    if (this.#closed) return;
    const ordered = this.#data.make(task, () => crops, false);
    ordered.made.then(
      ({ seconds }) => made(seconds),
      () => undefined,
    );
    this.#prepared.push({ task, ordered });
    if (this.#prepared.length > this.slots + PREPARED_MORE) this.#prepared.shift()!.ordered.drop();
  }

  abandon(lease: string): void {
    this.#dropJob(lease, new AbandonedError("given up"));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const jobs = [...this.#queue.clear(), ...[...this.#inFlight.values()].flatMap((sent) => sent.jobs)];
    this.#inFlight.clear();
    this.#fail(jobs, new AbandonedError("the worker is stopping"));
    await Promise.all([this.#thread?.worker.terminate(), this.#data.close()]);
  }

  #takePrepared(task: Task): OrderedData | undefined {
    const at = this.#prepared.findIndex(
      (each) => each.task.step === task.step && each.task.index === task.index && isDeepStrictEqual(each.task, task),
    );
    return at < 0 ? undefined : this.#prepared.splice(at, 1)[0]!.ordered;
  }

  /** A task that waits does so no more; the others of its batch may be what it waited for. */
  #dropJob(lease: string, error: Error): void {
    const job = this.#queue.remove(lease);
    if (job === undefined) return;
    job.ordered?.drop();
    // Of one whose images have not come yet, whoever brings them tells.
    if (job.request !== undefined) this.#fail([job], error);
    this.#dispatch();
  }

  #fail(jobs: readonly Job[], error: Error): void {
    const failed = jobs.filter(({ request }) => request !== undefined);
    if (failed.length > 0) this.#options.finished(failed.map(({ lease, task }) => ({ lease, task, error })));
  }

  #dispatch(): void {
    while (this.#thread !== undefined && this.#plan !== undefined && this.#inFlight.size < IN_FLIGHT) {
      const { stages } = this.#plan;
      const jobs = this.#queue.next((stage) => stages[stage].tasks, this.#leastTasks());
      if (jobs === undefined) return;
      this.#send(this.#thread, jobs, this.#plan);
    }
  }

  /**
   * While the GPU is busy, the next batch goes to it when it is as large as the one that computes: as large as a step
   * gives this worker. Fewer would be computed one after the other that may soon be computed together.
   */
  #leastTasks(): number {
    return Math.max(1, ...[...this.#inFlight.values()].map(({ jobs }) => jobs.length));
  }

  #send({ worker }: GpuThread, jobs: readonly Job[], { stages }: RunPlan): void {
    const now = this.#options.now();
    const id = this.#nextId++;
    const [first] = jobs as [Job];
    const tasks = jobs.map(({ task: { stepWeights }, request, made }) => ({
      ...{ theta: request!.theta, stepWeights, data: made!.data },
    }));
    const sets = tasks.flatMap(({ data }) => [data.support, data.query]);
    const buffers = sets.flatMap(({ x, y }) => [x.buffer, y.buffer]) as ArrayBuffer[];
    const { settings } = first.request!;
    const batch: Batch = { id, plan: withOrder(stages[first.task.stage], settings.order), settings, tasks };
    worker.postMessage(batch, buffers);
    const idle = this.#inFlight.size === 0;
    if (idle) this.#busySince = now;
    this.#inFlight.set(id, { jobs, waited: idle ? now - Math.max(this.#roomSince, first.since) : 0 });
  }

  #hear(message: FromGpuThread): void {
    if (message.type !== "done" && message.type !== "failed") return;
    const sent = this.#inFlight.get(message.id);
    if (sent === undefined) return;
    this.#ended(message.id);
    if (message.type === "failed") {
      this.#fail(sent.jobs, new RunError(message.reason));
    } else {
      this.#deathsInARow = 0;
      this.#recent.add({ tasks: sent.jobs.length, data: sent.waited, ...message.times });
      this.#options.finished(sent.jobs.map((job, k) => finishedTask(job, message, k)));
    }
    this.#dispatch();
  }

  #ended(id: number): void {
    this.#inFlight.delete(id);
    if (this.#inFlight.size > 0) return;
    this.#roomSince = this.#options.now();
    this.#finishedBusySeconds += this.#roomSince - this.#busySince;
  }

  #adopt(thread: GpuThread): void {
    this.#thread = thread;
    let reason = "";
    thread.worker
      .on("message", (message: FromGpuThread) => this.#hear(message))
      .on("error", (error) => {
        reason = messageOf(error);
      })
      .on("exit", (code) => this.#died(reason || `exit code ${code}`));
    this.#dispatch();
  }

  #died(reason: string): void {
    if (this.#closed) return;
    this.#thread = undefined;
    const lost = [...this.#inFlight];
    for (const [id] of lost) this.#ended(id);
    this.#fail(
      lost.flatMap(([, { jobs }]) => jobs),
      new RunError(`the GPU failed: ${reason}`),
    );
    this.#options.onCrash?.(reason);
    this.#deathsInARow++;
    if (this.#deathsInARow >= MAX_DEATHS_IN_A_ROW) {
      this.#options.onBroken?.(new RunError(`the GPU failed ${this.#deathsInARow} times in a row: ${reason}`));
      return;
    }
    this.#openAgain().catch((error: Error) => this.#options.onBroken?.(error));
  }

  async #openAgain(): Promise<void> {
    const thread = await startGpuThread(this.#options.device, this.#options.entry);
    if (this.#closed) await thread.worker.terminate();
    else this.#adopt(thread);
  }
}

function finishedTask(
  { lease, task, made }: Job,
  { results, times }: FromGpuThread & { type: "done" },
  k: number,
): FinishedTask {
  const { stage, step, index } = task;
  const computeSeconds = times.upload + times.compute + times.readBack;
  const outcome = { stage, step, index, ...results[k]!, dataSeconds: made!.seconds, computeSeconds };
  return { lease, task, outcome };
}

function descriptionOf({ name, isSoftware }: AdapterDescription): string {
  return `WebGPU on ${name}${isSoftware ? ", which computes on the CPU" : ""}`;
}

/** A run may begin with the first order; the plan's memory is that of the order which needs more. */
function withOrder(plan: StagePlan, order: 1 | 2): StagePlan {
  return plan.stage === "metaTraining" ? { ...plan, shape: { ...plan.shape, order } } : plan;
}
