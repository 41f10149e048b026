import type { BackendName } from "@mzsr/shared";

/**
 * Remembers when more than one worker of a backend was there last: whether it makes sense to wait for somebody who could
 * check a result. The coordinator's start counts as company, for its workers may be on their way.
 */
export class PeerPresence {
  readonly #patienceMs: number;
  readonly #lastMs = new Map<BackendName, number>();
  #startMs: number | undefined;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** The coordinator is there; its start counts once. */
  begin(nowMs: number): void {
    this.#startMs ??= nowMs;
  }

  /** Several workers of the backend may be given tasks. */
  note(backend: BackendName, nowMs: number): void {
    this.#lastMs.set(backend, nowMs);
  }

  /** From this moment on, a worker of the backend has been alone for as long as one waits for a silent worker. */
  aloneFromMs(backend: BackendName): number {
    const last = this.#lastMs.get(backend) ?? this.#startMs ?? Number.POSITIVE_INFINITY;
    return last + this.#patienceMs;
  }

  /** The coordinator was away for `ms`: nobody could have come meanwhile. */
  discountPause(ms: number): void {
    if (this.#startMs !== undefined) this.#startMs += ms;
    for (const [backend, lastMs] of this.#lastMs) this.#lastMs.set(backend, lastMs + ms);
  }
}
