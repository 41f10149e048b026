/**
 * Threads that make tasks' data ahead of the GPU: a task's blur and interpolation take one thread longer than a GPU
 * takes for its mathematics. Orders of leased tasks come before those of tasks that may never be leased.
 */
import { Worker } from "node:worker_threads";
import { type Image, messageOf, RunError } from "@mzsr/mzsr";
import type { Task } from "@mzsr/shared";
import type { MadeData } from "../compute/prepared-data.js";
import type { DataOrder, FromDataThread } from "./gpu-messages.js";

interface Order {
  readonly id: number;
  readonly task: Task;
  readonly crops: () => readonly Image[];
  leased: boolean;
  readonly resolve: (made: MadeData) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  /** None before its first order, and after its death. */
  worker: Worker | undefined;
  order: Order | undefined;
}

/** Data that are being made. */
export interface OrderedData {
  readonly made: Promise<MadeData>;
  /** The task has been leased: it comes before those that are not. */
  hurry(): void;
  /** Nobody wants them any more. */
  drop(): void;
}

export class DataThreads {
  readonly #entry: URL;
  readonly #threads: Thread[];
  readonly #orders: Order[] = [];
  #nextId = 0;
  #closed = false;

  /** @param entry the threads' script; another one in tests */
  constructor(count: number, entry = new URL("./data-thread.js", import.meta.url)) {
    this.#entry = entry;
    this.#threads = Array.from({ length: count }, () => ({ worker: undefined, order: undefined }));
  }

  /**
   * Has a task's data made; a promise that fails does so with the reason.
   * @param crops cuts what they are made of, when their turn has come
   */
  make(task: Task, crops: () => readonly Image[], leased: boolean): OrderedData {
    let order!: Order;
    const made = new Promise<MadeData>((resolve, reject) => {
      order = { id: this.#nextId++, task, crops, leased, resolve, reject };
    });
    // Whoever prepares a task may never ask for its data.
    made.catch(() => undefined);
    this.#orders.push(order);
    this.#dispatch();
    return {
      made,
      hurry: () => {
        order.leased = true;
      },
      drop: () => {
        const at = this.#orders.indexOf(order);
        if (at >= 0) this.#orders.splice(at, 1);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#orders.length = 0;
    await Promise.all(this.#threads.map(({ worker }) => worker?.terminate()));
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      while (thread.order === undefined) {
        const order = this.#next();
        if (order === undefined) return;
        this.#give(thread, order);
      }
    }
  }

  #next(): Order | undefined {
    const leased = this.#orders.findIndex((order) => order.leased);
    return this.#orders.splice(Math.max(0, leased), 1)[0];
  }

  #give(thread: Thread, order: Order): void {
    try {
      const crops = order.crops();
      const buffers = crops.map((crop) => crop.data.buffer) as ArrayBuffer[];
      thread.worker ??= this.#start(thread);
      thread.worker.postMessage({ id: order.id, task: order.task, crops } satisfies DataOrder, buffers);
      thread.order = order;
    } catch (error) {
      order.reject(error as Error);
    }
  }

  #start(thread: Thread): Worker {
    let reason = "it ended";
    return new Worker(this.#entry)
      .on("message", (message: FromDataThread) => {
        const { order } = thread;
        thread.order = undefined;
        if (message.type === "made") order?.resolve({ data: message.data, seconds: message.seconds });
        else order?.reject(new RunError(message.reason));
        this.#dispatch();
      })
      .on("error", (error) => {
        reason = messageOf(error);
      })
      .on("exit", () => this.#died(thread, reason));
  }

  #died(thread: Thread, reason: string): void {
    if (this.#closed) return;
    const { order } = thread;
    thread.worker = undefined;
    thread.order = undefined;
    order?.reject(new RunError(`the thread that made the task's data died: ${reason}`));
    this.#dispatch();
  }
}
