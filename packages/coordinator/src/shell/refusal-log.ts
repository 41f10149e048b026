/**
 * Peers that are turned away, told so that a stranger who tries thousands of times a second fills no disk: the first
 * refusals of a minute at once, and at its end how often each came again and how many there were beside.
 */
import type { RunEvent } from "@mzsr/shared";

const WINDOW_MS = 60_000;
/** Different refusals that are told of in a window. */
const MOST_TOLD = 20;

export class RefusalLog {
  readonly #record: (event: RunEvent) => void;
  /** How often each refusal came since it was told. */
  readonly #told = new Map<string, { readonly event: RunEvent; again: number }>();
  #others = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param record told of what is to be written down */
  constructor(record: (event: RunEvent) => void) {
    this.#record = record;
  }

  /** @param event its reason begins with the peer's address where it has no worker */
  refused(event: RunEvent): void {
    this.#timer ??= setTimeout(() => this.#windowOver(), WINDOW_MS).unref();
    const same = withoutPort(event.reason);
    const key = JSON.stringify([event.worker, same]);
    const told = this.#told.get(key);
    if (told !== undefined) told.again++;
    else if (this.#told.size >= MOST_TOLD) this.#others++;
    else {
      this.#told.set(key, { event: { ...event, reason: same }, again: 0 });
      this.#record(event);
    }
  }

  /** Tells what has not been told. */
  close(): void {
    clearTimeout(this.#timer);
    this.#windowOver();
  }

  #windowOver(): void {
    this.#timer = undefined;
    const [told, others] = [[...this.#told.values()], this.#others];
    this.#told.clear();
    this.#others = 0;
    for (const { event, again } of told) {
      if (again > 0) this.#record({ ...event, reason: `${event.reason} (${again} more within a minute)` });
    }
    if (others > 0)
      this.#record({ kind: "refusal", reason: `${others} more refusals of other kinds or peers within a minute` });
  }
}

/** A peer has another port each time that it comes. */
function withoutPort(reason: string): string {
  return reason.replace(/^(\S+):\d{1,5}: /, "$1: ");
}
