import { RunError } from "@mzsr/shared";

/** Signals closer together than this are one wish: npm and container engines pass on what the terminal sent already. */
const SAME_WISH_MS = 400;

/** What of a process is needed here. */
export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM", handler: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", handler: () => void): unknown;
}

/**
 * Ctrl-C and SIGTERM, from the moment this is made until `close`: the first is kept for whoever takes it when the start
 * is done, the second does not wait. Make it before anything is started. Without a handler a signal would end the process
 * in the middle of its start, or, in a container's first process, do nothing.
 */
export class StopSignals {
  readonly #source: SignalSource;
  readonly #now: () => number;
  readonly #asked = new AbortController();
  readonly #atOnce: Promise<never>;
  readonly #handler: () => void;
  #count = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #callback: ((count: number) => void) | undefined;

  constructor(source: SignalSource = process, now: () => number = () => performance.now()) {
    this.#source = source;
    this.#now = now;
    let stopAtOnce: (error: RunError) => void = () => undefined;
    this.#atOnce = new Promise<never>((_, reject) => {
      stopAtOnce = reject;
    });
    this.#atOnce.catch(() => undefined);
    this.#handler = () => {
      const nowMs = this.#now();
      const anotherWish = nowMs - this.#lastMs >= SAME_WISH_MS;
      this.#lastMs = nowMs;
      if (!anotherWish) return;
      this.#count++;
      this.#asked.abort();
      if (this.#callback !== undefined) this.#callback(this.#count);
      else if (this.#count > 1) stopAtOnce(new RunError("stopped at once, while starting"));
    };
    source.on("SIGINT", this.#handler);
    source.on("SIGTERM", this.#handler);
  }

  /** Aborted by the first. */
  get asked(): AbortSignal {
    return this.#asked.signal;
  }

  /** What `start` gives. @throws RunError as soon as a second signal comes before that */
  duringStart<T>(start: Promise<T>): Promise<T> {
    return Promise.race([start, this.#atOnce]);
  }

  /** From now on calls back with how many came so far; at once, if one came already. */
  take(callback: (count: number) => void): void {
    this.#callback = callback;
    if (this.#count > 0) callback(this.#count);
  }

  close(): void {
    this.#source.off("SIGINT", this.#handler);
    this.#source.off("SIGTERM", this.#handler);
  }
}
