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

  /** @param backends of the workers that may be given tasks */
  note(backends: readonly BackendName[], nowMs: number): void {
    this.#startMs ??= nowMs;
    for (const [i, backend] of backends.entries()) {
      if (backends.indexOf(backend) < i) this.#lastMs.set(backend, nowMs);
    }
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
