/**
 * The series that carry a worker's name. With thousands of workers that come and go they must not pile up: those of a
 * worker that left go away once Prometheus has had time to read their last values, and only so many workers have a
 * histogram of their own, because one is 16 lines at every scrape.
 */
import type { RunEvent, WorkerStatus } from "@mzsr/shared";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Twenty scrapes at Prometheus' 15 s; a worker that comes back within it goes on with its series. */
export const KEPT_AFTER_LEAVING_SECONDS = 300;

/** Workers with a histogram of their own; tasks of further ones are counted together. */
export const MOST_HISTOGRAMS = 100;

/** The `worker` of a histogram that several share: every query with `worker=~".*"` takes it in. */
export const OTHER_WORKERS = "(others)";

/** From 10 ms (a tiny network) to 3 minutes (the paper's on a slow machine). */
const TASK_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 2, 3, 5, 10, 20, 30, 60, 180];

const DEPARTURES: ReadonlySet<RunEvent["kind"]> = new Set(["leave", "lost", "quarantine"]);

export class WorkerSeries {
  readonly #tasks: Counter<"worker" | "outcome">;
  readonly #taskSeconds: Histogram<"worker">;
  readonly #quarantines: Counter<"worker">;
  readonly #heartbeatAge: Gauge<"worker">;
  /** By worker, the outcomes that it has a series for. */
  readonly #outcomes = new Map<string, Set<string>>();
  readonly #withHistogram = new Set<string>();
  /** When a worker left (ms), the earliest first. */
  readonly #leftMs = new Map<string, number>();
  readonly #nowMs: () => number;

  constructor(registry: Registry, nowMs: () => number) {
    const registers = [registry];
    this.#nowMs = nowMs;
    this.#tasks = new Counter({
      name: "mzsr_tasks_total",
      help: "Leases that ended, by how; of workers that are there or left in the last minutes.",
      labelNames: ["worker", "outcome"],
      registers,
    });
    this.#taskSeconds = new Histogram({
      name: "mzsr_task_seconds",
      help: `Time from lease to result. Beyond ${MOST_HISTOGRAMS} workers, the further ones share worker="${OTHER_WORKERS}".`,
      labelNames: ["worker"],
      buckets: TASK_BUCKETS,
      registers,
    });
    this.#quarantines = new Counter({
      name: "mzsr_quarantines_total",
      help: "Quarantines of a worker that is there or left in the last minutes.",
      labelNames: ["worker"],
      registers,
    });
    this.#heartbeatAge = new Gauge({
      name: "mzsr_heartbeat_age_seconds",
      help: "Time since a worker was heard.",
      labelNames: ["worker"],
      registers,
    });
  }

  /** @param seconds from lease to result; undefined when no result counted */
  taskEnded(worker: string, outcome: string, seconds: number | undefined): void {
    const outcomes = this.#outcomes.get(worker) ?? new Set();
    this.#outcomes.set(worker, outcomes.add(outcome));
    this.#tasks.inc({ worker, outcome });
    if (seconds !== undefined) this.#taskSeconds.observe({ worker: this.#histogramOf(worker) }, seconds);
  }

  happened({ kind, worker }: RunEvent): void {
    if (worker === undefined) return;
    if (kind === "quarantine") this.#quarantines.inc({ worker });
    if (kind === "join") this.#leftMs.delete(worker);
    if (DEPARTURES.has(kind)) {
      this.#leftMs.delete(worker);
      this.#leftMs.set(worker, this.#nowMs());
    }
    this.#forgetDeparted();
  }

  /** To be called before the series are read. */
  observe(workers: readonly WorkerStatus[]): void {
    this.#forgetDeparted();
    this.#heartbeatAge.reset();
    for (const { worker, state, lastHeartbeatAgoSeconds } of workers) {
      if (lastHeartbeatAgoSeconds === null || state === "gone") continue;
      this.#heartbeatAge.set({ worker }, lastHeartbeatAgoSeconds);
    }
  }

  #histogramOf(worker: string): string {
    if (this.#withHistogram.has(worker)) return worker;
    if (this.#withHistogram.size >= MOST_HISTOGRAMS) return OTHER_WORKERS;
    this.#withHistogram.add(worker);
    return worker;
  }

  #forgetDeparted(): void {
    const before = this.#nowMs() - 1000 * KEPT_AFTER_LEAVING_SECONDS;
    for (const [worker, leftMs] of this.#leftMs) {
      if (leftMs > before) return;
      this.#leftMs.delete(worker);
      this.#forget(worker);
    }
  }

  #forget(worker: string): void {
    for (const outcome of this.#outcomes.get(worker) ?? []) this.#tasks.remove({ worker, outcome });
    this.#outcomes.delete(worker);
    this.#quarantines.remove({ worker });
    if (this.#withHistogram.delete(worker)) this.#taskSeconds.remove({ worker });
  }
}
