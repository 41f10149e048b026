import type { Task } from "@mzsr/shared";

/** Durations remembered; the usual time is their median. */
const REMEMBERED = 64;

/**
 * A lease that runs for longer than this many usual times is slow: an idle worker may try the task too. A task that shares
 * its core takes up to twice as long, and is done before a second attempt would be.
 */
const SLOW = 2;

/** An audit may take as long as so many leases: room for a second and a third opinion, and for one that never comes. */
const AUDIT_LEASES = 3;

/** Where nobody else can compute a task, its lease may take so many times as long: giving it out anew only loses work. */
const ALONE = 8;

/** Each stage has times of its own, for its tasks are of another size. */
export type StageTimes = Readonly<Record<Task["stage"], TaskTimes>>;

/**
 * How long tasks usually take, and what follows from that: when a task is slow, when a lease is over. The one setting
 * behind both is `cluster.patience`.
 */
export class TaskTimes {
  readonly #patience: number;
  /** In the order in which they came, a ring; and by size. */
  readonly #recentMs: number[] = [];
  readonly #sortedMs: number[] = [];
  #seen = 0;

  constructor(patience: number) {
    this.#patience = patience;
  }

  /** A task was computed, `ms` after its lease began. */
  observe(ms: number): void {
    const place = this.#seen++ % REMEMBERED;
    const oldest = this.#recentMs[place];
    if (oldest !== undefined) this.#sortedMs.splice(this.#sortedMs.indexOf(oldest), 1);
    this.#recentMs[place] = ms;
    const above = this.#sortedMs.findIndex((each) => each > ms);
    this.#sortedMs.splice(above < 0 ? this.#sortedMs.length : above, 0, ms);
  }

  /** The median; unknown before the first result. */
  get usualMs(): number | undefined {
    return this.#sortedMs[this.#sortedMs.length >> 1];
  }

  /**
   * Age from which a lease is slow: an idle worker may try the task too. Before the first result that is `patience`
   * seconds, so that a worker which hangs from the start does not keep idle ones waiting.
   */
  get slowMs(): number {
    const { usualMs } = this;
    return usualMs === undefined ? this.#patience * 1000 : Math.max(1, SLOW * usualMs);
  }

  /**
   * Age at which a lease is over: `patience` usual times, at least `patience` seconds; twice that after each time the
   * same task ran out of time, so that a task which really takes that long is not given out for ever. Before the first
   * result nothing is known, and only the worker's silence ends a lease.
   */
  deadlineMs(expirations: number): number {
    const { usualMs } = this;
    if (usualMs === undefined) return Number.POSITIVE_INFINITY;
    return this.#patience * Math.max(1000, usualMs) * 2 ** expirations;
  }

  /** As `deadlineMs`, where nobody else is there to compute the task. */
  aloneDeadlineMs(expirations: number): number {
    return ALONE * this.deadlineMs(expirations);
  }

  /** How long an audit may take in all, from the first result on. */
  get auditMs(): number {
    return AUDIT_LEASES * this.deadlineMs(0);
  }
}
