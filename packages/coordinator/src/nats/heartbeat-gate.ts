/**
 * Which heartbeats are read at all. On NATS anybody who may publish can send them, thousands a second; reading one costs
 * more than dropping it, and what is dropped costs nobody anything: every worker's heartbeats go over its stream as well.
 */
import { workerOfHeartbeat } from "@mzsr/shared";

/** A worker sends one a second; a network may hold some back and let them go at once. */
const MOST_OF_A_WORKER = 5;
/** Messages a second that are looked at whatever the number of workers, and for each worker beside. */
const MOST_IN_ALL = 1_000;
const MOST_FOR_EACH = 10;

const WINDOW_MS = 1_000;

export type Verdict =
  | "read"
  /** Not from a worker that is there, or more than one sends. */
  | "drop"
  /** More than all workers together send: it is not worth listening. */
  | "flood";

export class HeartbeatGate {
  readonly #run: string;
  readonly #isWorker: (name: string) => boolean;
  readonly #workers: () => number;
  readonly #nowMs: () => number;
  readonly #ofWorker = new Map<string, number>();
  #total = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;

  /**
   * @param isWorker whether a worker of this name has a session
   * @param workers how many have one
   */
  constructor(run: string, isWorker: (name: string) => boolean, workers: () => number, nowMs: () => number) {
    this.#run = run;
    this.#isWorker = isWorker;
    this.#workers = workers;
    this.#nowMs = nowMs;
  }

  /** @param subject that a heartbeat came on */
  judge(subject: string): Verdict {
    const nowMs = this.#nowMs();
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = nowMs;
      this.#total = 0;
      this.#ofWorker.clear();
    }
    this.#total++;
    if (this.#total > MOST_IN_ALL && this.#total > MOST_IN_ALL + MOST_FOR_EACH * this.#workers()) return "flood";
    const sent = this.#ofWorker.get(subject) ?? 0;
    if (sent === 0) {
      const worker = workerOfHeartbeat(this.#run, subject);
      if (worker === undefined || !this.#isWorker(worker)) return "drop";
    }
    if (sent >= MOST_OF_A_WORKER) return "drop";
    this.#ofWorker.set(subject, sent + 1);
    return "read";
  }
}
