/**
 * What waits to be sent to one worker while the message before it is on its way. It is bounded, and a worker that reads
 * slowly finds the newest in it, not a queue of what has passed:
 *
 * - Parameters that are `keptSteps` or more older than the newest leave: no task starts from them any more, and the leases
 *   that did have been cancelled.
 * - A lease that is cancelled while it waits is not sent, nor is its cancellation.
 * - Announcements are hints: newer ones replace older ones.
 */
import type { CoordinatorToWorker } from "@mzsr/shared";
import { type Outgoing, outgoing } from "./outgoing.js";

/** Messages that may wait for one worker. */
export const MAX_WAITING_MESSAGES = 256;

/** Bytes of its own that may wait for one worker; what many workers get is held once for all. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export class Outbox {
  readonly #keptSteps: number;
  #waiting: Outgoing[] = [];

  /** @param keptSteps steps whose parameters may be in use at once: one more than the pipeline is deep */
  constructor(keptSteps: number) {
    this.#keptSteps = keptSteps;
  }

  /** Messages that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Bytes that wait for this worker alone. */
  get ownBytes(): number {
    return this.#waiting.reduce((sum, { frame, shared }) => (shared ? sum : sum + frame.bytes.length), 0);
  }

  /** Adds a message. Returns what is too much, where more waits than may: the stream must be given up then. */
  push(added: Outgoing): string | undefined {
    const rest = this.#waiting.length === 0 ? added : this.#overtake(added);
    if (rest !== undefined) this.#waiting.push(rest);
    if (this.#waiting.length > MAX_WAITING_MESSAGES) return `more than ${MAX_WAITING_MESSAGES} messages wait`;
    if (this.ownBytes > MAX_WAITING_BYTES) return `more than ${MAX_WAITING_BYTES / 2 ** 20} MiB of messages wait`;
    return undefined;
  }

  /** The next message to send. */
  shift(): Outgoing | undefined {
    return this.#waiting.shift();
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Takes out what need not be sent any more because of `added`. Returns what is left of that, if anything. */
  #overtake(added: Outgoing): Outgoing | undefined {
    const { message } = added;
    switch (message.type) {
      case "announce":
        this.#waiting = this.#waiting.filter((waiting) => waiting.message.type !== "announce");
        return added;
      case "parameters": {
        const last = message.step - this.#keptSteps;
        this.#waiting = this.#waiting.filter(({ message: old }) => old.type !== "parameters" || old.step > last);
        return added;
      }
      case "cancel": {
        const unsent = this.#takeLeases(new Set(message.leases));
        if (unsent.size === 0) return added;
        const leases = message.leases.filter((id) => !unsent.has(id));
        return leases.length === 0 ? undefined : outgoing({ ...message, leases });
      }
      default:
        return added;
    }
  }

  /** Takes those of the leases out that wait. Returns which. */
  #takeLeases(cancelled: ReadonlySet<string>): ReadonlySet<string> {
    const taken = new Set<string>();
    this.#waiting = this.#waiting.flatMap((waiting) => {
      const { message } = waiting;
      if (message.type !== "assign") return [waiting];
      const leases = message.leases.filter(({ id }) => !cancelled.has(id));
      if (leases.length === message.leases.length) return [waiting];
      for (const { id } of message.leases) if (cancelled.has(id)) taken.add(id);
      return leases.length === 0 ? [] : [outgoing<CoordinatorToWorker>({ ...message, leases })];
    });
    return taken;
  }
}
