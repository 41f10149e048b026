import { RunError } from "@mzsr/mzsr";
import { hangUpIgnored } from "./hang-up.js";

/** Signals closer together than this are one wish: npm and container engines pass on what the terminal sent already. */
const SAME_WISH_MS = 400;

/** What of a process is needed here. */
export interface SignalSource {
  on(signal: StopSignal, handler: () => void): unknown;
  off(signal: StopSignal, handler: () => void): unknown;
}

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/**
 * Ctrl-C, SIGTERM and SIGHUP, from the moment this is made until `close`: the first is kept for whoever takes it when the
 * start is done, the second does not wait. Make it before anything is started. Without a handler a signal would end the
 * process in the middle of its start, or, in a container's first process, do nothing.
 *
 * SIGHUP asks to stop, and never a second time: a terminal that is closed sends it by way of the shell and of the kernel,
 * and nobody is there any more to be in a hurry.
 */
export class StopSignals {
  readonly #source: SignalSource;
  readonly #now: () => number;
  readonly #asked = new AbortController();
  readonly #atOnce: Promise<never>;
  readonly #handlers: readonly (readonly [signal: StopSignal, handler: () => void])[];
  #count = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #callback: ((count: number) => void) | undefined;

  /** @param ignoreHangUp SIGHUP is left alone, as `nohup` asks */
  constructor(
    source: SignalSource = process,
    now: () => number = () => performance.now(),
    ignoreHangUp = hangUpIgnored(),
  ) {
    this.#source = source;
    this.#now = now;
    let stopAtOnce: (error: RunError) => void = () => undefined;
    this.#atOnce = new Promise<never>((_, reject) => {
      stopAtOnce = reject;
    });
    this.#atOnce.catch(() => undefined);
    const hear = () => {
      const nowMs = this.#now();
      const anotherWish = nowMs - this.#lastMs >= SAME_WISH_MS;
      this.#lastMs = nowMs;
      if (!anotherWish) return;
      this.#count++;
      this.#asked.abort();
      if (this.#callback !== undefined) this.#callback(this.#count);
      else if (this.#count > 1) stopAtOnce(new RunError("stopped at once, while starting"));
    };
    const hearOnce = () => {
      if (this.#count === 0) hear();
    };
    this.#handlers = [["SIGINT", hear], ["SIGTERM", hear], ...(ignoreHangUp ? [] : [["SIGHUP", hearOnce] as const])];
    for (const [signal, handler] of this.#handlers) source.on(signal, handler);
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
    for (const [signal, handler] of this.#handlers) this.#source.off(signal, handler);
  }
}
