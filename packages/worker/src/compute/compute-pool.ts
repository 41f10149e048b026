/**
 * A thread per slot, each with its own backend. Tasks queue when all are busy; a thread that dies fails its task with
 * the reason and is started again.
 */
import { isDeepStrictEqual } from "node:util";
import type { Worker } from "node:worker_threads";
import { type Image, messageOf, RunError } from "@mzsr/mzsr";
import type { BackendName, Task, TaskOutcome } from "@mzsr/shared";
import {
  type DataSource,
  type FromThread,
  PREPARED_KEPT,
  type StartedBackend,
  type ThreadData,
  type ToThread,
} from "./compute-messages.js";
import { AbandonedError, type Computer, type FinishedTask, type OnFinished, type TaskRequest } from "./computer.js";
import { startThread } from "./start-thread.js";

/** A thread that dies this often without a task in between is not started again. */
const MAX_DEATHS_IN_A_ROW = 5;

export interface ComputePoolOptions {
  readonly backend: BackendName | "auto";
  /** Threads, given what the first one started: a GPU wants one, a CPU one per core. */
  readonly slots: (backend: StartedBackend) => number;
  readonly finished: OnFinished;
  /** Told when a thread died, and why; the pool goes on. */
  readonly onCrash?: (reason: string) => void;
  /** Told when no thread is left that could compute. */
  readonly onBroken?: (error: Error) => void;
  /** Seconds on a clock that never goes back. */
  readonly now: () => number;
  /** The thread's script; another one in tests. */
  readonly entry?: URL;
}

interface Job {
  readonly id: number;
  readonly lease: string;
  readonly request: TaskRequest;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  /** Tasks whose data it has made or is to make. */
  readonly prepared: Prepared[];
  /** Who is told when data have been made, by the number of the order. */
  readonly making: Map<number, (seconds: number) => void>;
  /** Things it was told to do and has not said to have done. */
  toDo: number;
  busySince: number;
  tensorBytes: number;
}

interface Prepared {
  readonly id: number;
  readonly task: Task;
}

export class ComputePool implements Computer {
  readonly batches = undefined;
  readonly #options: ComputePoolOptions;
  readonly #threads = new Set<Thread>();
  readonly #queue: Job[] = [];
  readonly #backend: StartedBackend;
  #nextId = 0;
  #deathsInARow = 0;
  #starting = 0;
  #finishedBusySeconds = 0;
  #closed = false;

  /** Use `ComputePool.start`. */
  private constructor(options: ComputePoolOptions, backend: StartedBackend) {
    this.#options = options;
    this.#backend = backend;
  }

  /**
   * Starts the first thread, and the others on the backend that it found.
   * @throws InputError when the backend asked for does not start
   */
  static async start(options: ComputePoolOptions): Promise<ComputePool> {
    const first = await startComputeThread(options.entry, options.backend);
    const pool = new ComputePool(options, first.backend);
    pool.#adopt(first.worker);
    const slots = options.slots(first.backend);
    try {
      await Promise.all(Array.from({ length: slots - 1 }, () => pool.#addThread()));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  get backend(): StartedBackend {
    return this.#backend;
  }

  get slots(): number {
    return this.#threads.size + this.#starting;
  }

  get busySlots(): number {
    return [...this.#threads].filter((thread) => thread.job !== undefined).length;
  }

  get tensorBytes(): number {
    return [...this.#threads].reduce((sum, thread) => sum + thread.tensorBytes, 0);
  }

  busySeconds(): number {
    const now = this.#options.now();
    const running = [...this.#threads].filter((thread) => thread.toDo > 0);
    return running.reduce((sum, thread) => sum + now - thread.busySince, this.#finishedBusySeconds);
  }

  use(): undefined {
    for (const thread of this.#threads) thread.prepared.length = 0;
  }

  expect(): void {}

  compute(lease: string, request: TaskRequest): void {
    const job = { id: this.#nextId++, lease, request };
    if (this.#closed) {
      this.#end(job, new AbandonedError("the worker is stopping"));
      return;
    }
    this.#queue.push(job);
    this.#dispatch();
  }

  /**
   * Lets a thread make the data of a task that may come, before what it is given next. The task may go to another
   * thread, or never come.
   * @param made told how long it took, when it is done
   */
  prepare(task: Task, crops: readonly Image[], made: (seconds: number) => void = () => undefined): void {
    const thread = longestWithoutNews(this.#threads);
    if (this.#closed || thread === undefined) return;
    const id = this.#nextId++;
    thread.prepared.push({ id, task });
    if (thread.prepared.length > PREPARED_KEPT) thread.prepared.shift();
    thread.making.set(id, made);
    this.#begin(thread);
    const buffers = crops.map((crop) => crop.data.buffer) as ArrayBuffer[];
    thread.worker.postMessage({ type: "prepare", id, task, crops } satisfies ToThread, buffers);
  }

  abandon(lease: string): void {
    const waiting = this.#queue.findIndex((job) => job.lease === lease);
    if (waiting >= 0) this.#end(this.#queue.splice(waiting, 1)[0]!, new AbandonedError("given up"));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const jobs = [...this.#queue.splice(0), ...[...this.#threads].flatMap((thread) => thread.job ?? [])];
    for (const job of jobs) this.#end(job, new AbandonedError("the worker is stopping"));
    await Promise.all([...this.#threads].map((thread) => thread.worker.terminate()));
    this.#threads.clear();
  }

  #dispatch(): void {
    for (;;) {
      const idle = [...this.#threads].filter((thread) => thread.job === undefined);
      const job = idle.length === 0 ? undefined : this.#queue.shift();
      if (job === undefined) return;
      this.#give(job, idle);
    }
  }

  /** Gives a job to the idle thread that has its data ready, else to any. */
  #give(job: Job, idle: readonly Thread[]): void {
    const { task, crops } = job.request;
    const thread = idle.find(({ prepared }) => placeOf(prepared, task) >= 0) ?? idle[0]!;
    const at = placeOf(thread.prepared, task);
    let source: DataSource;
    try {
      source = at < 0 ? { crops: crops() } : { prepared: thread.prepared.splice(at, 1)[0]!.id };
    } catch (error) {
      this.#end(job, error as Error);
      return;
    }
    thread.job = job;
    this.#begin(thread);
    post(thread.worker, job, source);
  }

  #end({ lease, request: { task } }: Job, result: TaskOutcome | Error): void {
    const finished: FinishedTask =
      result instanceof Error ? { lease, task, error: result } : { lease, task, outcome: result };
    this.#options.finished([finished]);
  }

  #begin(thread: Thread): void {
    if (thread.toDo === 0) thread.busySince = this.#options.now();
    thread.toDo++;
  }

  #made(thread: Thread, { id, seconds }: FromThread & { type: "prepared" }): void {
    this.#done(thread);
    thread.making.get(id)?.(seconds);
    thread.making.delete(id);
  }

  #done(thread: Thread): void {
    thread.toDo--;
    if (thread.toDo === 0) this.#finishedBusySeconds += this.#options.now() - thread.busySince;
  }

  async #addThread(): Promise<void> {
    this.#starting++;
    try {
      const { worker } = await startComputeThread(this.#options.entry, this.#backend.name);
      if (this.#closed) await worker.terminate();
      else this.#adopt(worker);
    } finally {
      this.#starting--;
    }
  }

  #adopt(worker: Worker): void {
    const thread: Thread = {
      worker,
      job: undefined,
      prepared: [],
      making: new Map(),
      toDo: 0,
      busySince: 0,
      tensorBytes: 0,
    };
    this.#threads.add(thread);
    let reason = "";
    worker.on("message", (message: FromThread) => this.#hear(thread, message));
    worker.on("error", (error) => {
      reason = messageOf(error);
    });
    worker.on("exit", (code) => this.#died(thread, reason || `exit code ${code}`));
    this.#dispatch();
  }

  #hear(thread: Thread, message: FromThread): void {
    if (message.type === "prepared") this.#made(thread, message);
    if (message.type !== "done" && message.type !== "failed") return;
    const job = thread.job;
    if (job === undefined || job.id !== message.id) return;
    this.#deathsInARow = 0;
    thread.job = undefined;
    thread.tensorBytes = message.tensorBytes;
    this.#done(thread);
    this.#end(job, message.type === "done" ? message.outcome : new RunError(message.reason));
    this.#dispatch();
  }

  #died(thread: Thread, reason: string): void {
    if (!this.#threads.delete(thread) || this.#closed) return;
    if (thread.toDo > 0) this.#finishedBusySeconds += this.#options.now() - thread.busySince;
    if (thread.job !== undefined) this.#end(thread.job, new RunError(`the compute thread died: ${reason}`));
    this.#options.onCrash?.(reason);
    this.#deathsInARow++;
    if (this.#deathsInARow >= MAX_DEATHS_IN_A_ROW) {
      this.#options.onBroken?.(new RunError(`compute threads died ${this.#deathsInARow} times in a row: ${reason}`));
      return;
    }
    this.#addThread().catch((error: Error) => this.#options.onBroken?.(error));
  }
}

function post(worker: Worker, { id, request: { task, settings, theta } }: Job, source: DataSource): void {
  const request = { task, settings, source, theta: theta.slice() };
  const crops = "crops" in source ? source.crops : [];
  const transfer = [request.theta.buffer, ...crops.map((crop) => crop.data.buffer)] as ArrayBuffer[];
  worker.postMessage({ type: "compute", id, request } satisfies ToThread, transfer);
}

/** Where the list holds this very task. */
function placeOf(list: readonly Prepared[], task: Task): number {
  return list.findIndex((prepared) => isDeepStrictEqual(prepared.task, task));
}

/** The thread whose oldest data are most likely of no use any more: those of tasks that went elsewhere stay until then. */
function longestWithoutNews(threads: Iterable<Thread>): Thread | undefined {
  const newest = ({ prepared }: Thread) => prepared.at(-1)?.id ?? -1;
  return [...threads].sort((a, b) => newest(a) - newest(b))[0];
}

/** @throws InputError or RunError with the thread's reason */
async function startComputeThread(
  entry: URL = new URL("./compute-thread.js", import.meta.url),
  backend: BackendName | "auto",
): Promise<{ worker: Worker; backend: StartedBackend }> {
  const data: ThreadData = { backend };
  const { worker, ready } = await startThread<Ready>("the compute thread", entry, data);
  return { worker, backend: ready.backend };
}

type Ready = Extract<FromThread, { type: "ready" }>;
