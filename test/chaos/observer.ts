/** Watches a cluster from outside, as a person with `mzsr status` would, but more often. */
import { setTimeout as delay } from "node:timers/promises";
import type { ClusterStatus } from "@mzsr/shared";
import type { Answer, Cluster } from "./cluster.js";

const PERIOD_MS = 40;
/** Without a new step for so long, a run is stuck: no fault of a campaign lasts for so long. */
const STUCK_MS = 90_000;

export class Observer {
  /** Worker → when it was first seen with a task, milliseconds since 1970. */
  readonly #firstTask = new Map<string, number>();
  /** Counter → its sum over the lives of the coordinator, as far as they were seen. */
  readonly #counters = new Map<string, number>();
  readonly #cluster: Cluster;
  readonly #waiting = new Set<{ wanted: (status: ClusterStatus) => boolean; resolve: () => void }>();
  #previous: { readonly life: number; readonly counters: Readonly<Record<string, number>> } | undefined;
  #newestStep = -1;
  #progressMs = Date.now();
  #stopped = false;
  #giveUp: (error: Error) => void = () => {};
  readonly #watching: Promise<void>;
  /** Rejects when training stands still. */
  readonly stuck = new Promise<never>((_, reject) => {
    this.#giveUp = reject;
  });

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.stuck.catch(() => undefined);
    this.#watching = this.#watch();
  }

  get counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counters);
  }

  /** When a worker was first seen with a task since `forget`. */
  firstTaskOf(worker: string): number | undefined {
    return this.#firstTask.get(worker);
  }

  /** The worker's name comes again with another process. */
  forget(worker: string): void {
    this.#firstTask.delete(worker);
  }

  /** Resolves once the status is as wanted. Rejects when training stands still. */
  until(wanted: (status: ClusterStatus) => boolean): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.#waiting.add({ wanted, resolve });
    });
    return Promise.race([seen, this.stuck]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for (; !this.#stopped; await delay(PERIOD_MS)) {
      const answer = await this.#cluster.status();
      if (answer !== undefined) this.#see(answer);
      if (Date.now() - this.#progressMs > STUCK_MS) return this.#giveUp(new Error(stuckReason(answer?.status)));
    }
  }

  #see({ status, life }: Answer): void {
    const now = Date.now();
    if (status.step > this.#newestStep) {
      this.#newestStep = status.step;
      this.#progressMs = now;
    }
    for (const { worker, busySlots, tasksDone } of status.workers) {
      if ((busySlots > 0 || tasksDone > 0) && !this.#firstTask.has(worker)) this.#firstTask.set(worker, now);
    }
    const before = this.#previous?.life === life ? this.#previous.counters : {};
    for (const [name, count] of Object.entries(status.counters)) {
      this.#counters.set(name, (this.#counters.get(name) ?? 0) + count - (before[name] ?? 0));
    }
    this.#previous = { life, counters: status.counters };
    for (const waiter of [...this.#waiting]) {
      if (!waiter.wanted(status)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}

function stuckReason(status: ClusterStatus | undefined): string {
  const seconds = STUCK_MS / 1000;
  if (status === undefined) return `no new step for ${seconds} s, and the coordinator does not answer`;
  const workers = status.workers.map(({ worker, state, reason }) => `${worker} ${state} (${reason})`).join(", ");
  return `no new step for ${seconds} s after step ${status.step}: ${workers}; leases ${JSON.stringify(status.leases)}`;
}
