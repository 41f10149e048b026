/** Copies a leader's checkpoints to where a standby finds them. */
import { messageOf } from "@mzsr/mzsr";
import type { LeaderLease } from "./leader-lease.js";
import type { LeaderStore } from "./leader-store.js";
import type { MetricsReplica } from "./metrics-replica.js";

/** Newest copies that stay: a slow standby may be reading one that is not the newest any more. */
const KEPT = 3;

interface Copy {
  readonly step: number;
  readonly bytes: Uint8Array;
}

export class CheckpointReplica {
  readonly #store: LeaderStore;
  readonly #lease: LeaderLease;
  readonly #metrics: MetricsReplica;
  readonly #onProblem: (reason: string) => void;
  #kept: readonly number[] = [];
  #waiting: Copy | undefined;
  #copying: Promise<void> | undefined;

  /** @param onProblem told when a copy failed; the next checkpoint is copied all the same */
  constructor(store: LeaderStore, lease: LeaderLease, metrics: MetricsReplica, onProblem: (reason: string) => void) {
    this.#store = store;
    this.#lease = lease;
    this.#metrics = metrics;
    this.#onProblem = onProblem;
  }

  /** Copies a checkpoint soon; one that is still waiting is left out for a newer one. */
  put(step: number, bytes: Uint8Array): void {
    this.#waiting = { step, bytes };
    this.#copying ??= this.#copyAll().finally(() => {
      this.#copying = undefined;
    });
  }

  /** Resolves when the newest checkpoint is copied, or could not be. */
  async settle(): Promise<void> {
    await this.#copying;
  }

  async #copyAll(): Promise<void> {
    while (this.#waiting !== undefined && this.#lease.valid) {
      const copy = this.#waiting;
      this.#waiting = undefined;
      try {
        await this.#copy(copy);
      } catch (thrown) {
        this.#onProblem(`checkpoint ${copy.step} could not be replicated: ${messageOf(thrown)}`);
      }
    }
  }

  /** The lines first, then the object, then the record that names it: a record never names what is not there. */
  async #copy({ step, bytes }: Copy): Promise<void> {
    const { holder } = this.#lease.record;
    const object = `${step}-${holder}`;
    await this.#metrics.put(step, holder);
    await this.#store.putObject(object, bytes);
    const written = await this.#lease.set({ checkpoint: { object, step } });
    if (!written) return;
    // Only who still leads tidies up, and only what no standby may still be reading.
    this.#kept = [...this.#kept, step].slice(-KEPT);
    await this.#store.removeObjects((name) => Number.parseInt(name, 10) < this.#kept[0]!);
  }
}
