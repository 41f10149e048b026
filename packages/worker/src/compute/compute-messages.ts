/** What the main thread and a compute thread say to each other. */
import type { Architecture, BackendName, Image, Task, TaskOutcome } from "@mzsr/shared";

/** How tasks of a run are computed, besides what each task says itself. */
export interface ComputeSettings {
  readonly architecture: Architecture;
  readonly innerRate: number;
  readonly innerSteps: number;
  readonly learnedRates: boolean;
  readonly order: 1 | 2;
}

/**
 * One task with all that computing it needs. The thread gets its own θ (one copy) and the crops themselves (none).
 *
 * Shared memory would save that copy, but V8 does not count it when it decides to collect: a new θ with every step then
 * took gigabytes before the old ones were freed.
 */
export interface ComputeRequest {
  readonly task: Task;
  readonly theta: Float32Array;
  readonly settings: ComputeSettings;
  /** From `taskCrops`. */
  readonly crops: readonly Image[];
}

export interface StartedBackend {
  readonly name: BackendName;
  /** One line for people: device, threads, instruction set. */
  readonly description: string;
  /** Why backends before this one were not taken. */
  readonly reasons: readonly { readonly backend: BackendName; readonly reason: string }[];
}

/** First message to a thread is its `workerData`. */
export interface ThreadData {
  readonly backend: BackendName | "auto";
}

export interface ToThread {
  readonly id: number;
  readonly request: ComputeRequest;
}

export type FromThread =
  | { readonly type: "ready"; readonly backend: StartedBackend }
  | { readonly type: "broken"; readonly reason: string; readonly badInput: boolean }
  | { readonly type: "done"; readonly id: number; readonly outcome: TaskOutcome; readonly tensorBytes: number }
  | { readonly type: "failed"; readonly id: number; readonly reason: string; readonly tensorBytes: number };
