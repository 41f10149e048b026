/**
 * Writes checkpoints one after the other while training goes on. When the disk is slower than the training, only the
 * newest waiting one is written.
 */
import { messageOf, RunError } from "@mzsr/mzsr";
import type { TrainingState } from "../core/training-state.js";

export type CheckpointReason = "interval" | "stop" | "finished" | "stage";

/** A checkpoint that stands on the disk, or why it does not. */
export interface CheckpointOutcome {
  readonly step: number;
  readonly reason: CheckpointReason;
  /** Time that writing took. */
  readonly seconds: number;
  readonly bytes: Uint8Array;
  /** Where it stands; undefined when it does not. */
  readonly path: string | undefined;
  readonly problem: string | undefined;
}

export interface CheckpointWriterOptions {
  readonly encode: (state: TrainingState) => Uint8Array;
  /** Makes a checkpoint durable and returns its path. */
  readonly write: (step: number, bytes: Uint8Array) => Promise<string>;
  readonly onWritten: (outcome: CheckpointOutcome) => void;
  readonly nowMs: () => number;
}

interface Wanted {
  readonly state: TrainingState;
  readonly reason: CheckpointReason;
}

export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  #waiting: Wanted | undefined;
  #writing: Promise<void> | undefined;
  #last: CheckpointOutcome | undefined;
  #stopped = false;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  /** Writes `state` soon. */
  request(state: TrainingState, reason: CheckpointReason): void {
    if (this.#stopped) return;
    this.#waiting = { state, reason };
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /**
   * Resolves when the newest requested checkpoint is durable.
   * @throws RunError when it could not be written
   */
  async settle(): Promise<void> {
    await this.#writing;
    if (this.#last?.problem !== undefined) {
      throw new RunError(`the checkpoint of step ${this.#last.step} could not be written: ${this.#last.problem}`);
    }
  }

  /** Writes nothing more than what is being written now. Resolves when that is over. */
  async abandon(): Promise<void> {
    this.#stopped = true;
    this.#waiting = undefined;
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Leaves the caller first, so that no second loop begins before this one is known.
    await Promise.resolve();
    while (this.#waiting !== undefined) {
      const wanted = this.#waiting;
      this.#waiting = undefined;
      this.#last = await this.#write(wanted);
      this.#options.onWritten(this.#last);
    }
  }

  async #write({ state, reason }: Wanted): Promise<CheckpointOutcome> {
    const { encode, write, nowMs } = this.#options;
    const begunMs = nowMs();
    const bytes = encode(state);
    const about = { step: state.step, reason, bytes };
    try {
      const path = await write(state.step, bytes);
      return { ...about, path, problem: undefined, seconds: (nowMs() - begunMs) / 1000 };
    } catch (thrown) {
      return { ...about, path: undefined, problem: messageOf(thrown), seconds: (nowMs() - begunMs) / 1000 };
    }
  }
}
