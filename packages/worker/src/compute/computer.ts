/** What computes a worker's tasks: threads of TensorFlow.js, or a GPU that takes many at once. */
import type { Image } from "@mzsr/mzsr";
import type { Configuration, Task, TaskOutcome } from "@mzsr/shared";
import type { ComputeRequest, StartedBackend } from "./compute-messages.js";

/** A task with all that computing it needs; its crops are cut when its data are not there yet. */
export type TaskRequest = Omit<ComputeRequest, "source"> & { readonly crops: () => readonly Image[] };

/** How a task ended: computed, failed (a RunError with the reason), or given up (an AbandonedError). */
export type FinishedTask =
  | { readonly lease: string; readonly task: Task; readonly outcome: TaskOutcome }
  | { readonly lease: string; readonly task: Task; readonly error: Error };

/** Is told of all tasks that ended together, at once. */
export type OnFinished = (finished: readonly FinishedTask[]) => void;

/** A task was given up before it was computed. */
export class AbandonedError extends Error {
  override readonly name = "AbandonedError";
}

/** Where the time of the newest batches went, and how large they were. */
export interface BatchTelemetry {
  /** Tasks of a batch, on average. */
  readonly tasks: number;
  /** Shares of a batch's time, which together are 1: waiting for tasks' data, giving them to the device, computing, taking results over. */
  readonly shares: {
    readonly data: number;
    readonly upload: number;
    readonly compute: number;
    readonly readBack: number;
  };
}

export interface Computer {
  readonly backend: StartedBackend;
  /** Tasks that it takes at a time. */
  readonly slots: number;
  readonly busySlots: number;
  /** Bytes of tensors that TensorFlow.js' backends held after their last tasks. */
  readonly tensorBytes: number;
  /** How the newest batches went, where tasks are computed in batches. */
  readonly batches: BatchTelemetry | undefined;
  /** Seconds that all slots together have worked, what they do now included. */
  busySeconds(): number;
  /**
   * Learns what the run's tasks are like. What was made ahead is forgotten: the same task of another run may be of other
   * images. `slots` may be another number afterwards.
   *
   * @returns what people should know of how the tasks will be computed, if anything
   * @throws InputError when the device cannot compute such tasks
   */
  use(configuration: Configuration): string | undefined;
  /** Hears that a task has been leased, whose request follows when its images are there. */
  expect(lease: string, task: Task): void;
  /** Computes a task, at once or when there is room. */
  compute(lease: string, request: TaskRequest): void;
  /**
   * Makes the data of a task that may come, as far as there is time.
   * @param made told how long it took, when it is done
   */
  prepare(task: Task, crops: readonly Image[], made?: (seconds: number) => void): void;
  /** Gives up a task that is not computed yet. One that is being computed goes on. */
  abandon(lease: string): void;
  /** Ends everything now. Tasks that run or wait are abandoned. */
  close(): Promise<void>;
}
