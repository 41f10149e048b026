/** What the main thread and a compute thread say to each other. */
import type { Architecture, Image } from "@mzsr/mzsr";
import type { BackendName, Task, TaskOutcome } from "@mzsr/shared";

/** How tasks of a run are computed, besides what each task says itself. */
export interface ComputeSettings {
  readonly architecture: Architecture;
  readonly innerRate: number;
  readonly innerSteps: number;
  readonly learnedRates: boolean;
  readonly order: 1 | 2;
}

/** What a task's data come from: what the thread prepared under this number, or crops from `taskCrops`. */
export type DataSource = { readonly prepared: number } | { readonly crops: readonly Image[] };

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
  readonly source: DataSource;
}

export interface StartedBackend {
  readonly name: BackendName;
  /** One line for people: device, threads, instruction set. */
  readonly description: string;
  /** Why backends before this one were not taken. */
  readonly reasons: readonly { readonly backend: BackendName; readonly reason: string }[];
}

/** Tasks whose data a thread keeps ahead: the next one, and one that may have gone to somebody else. */
export const PREPARED_KEPT = 2;

/** First message to a thread is its `workerData`. */
export interface ThreadData {
  readonly backend: BackendName | "auto";
}

export type ToThread =
  | { readonly type: "compute"; readonly id: number; readonly request: ComputeRequest }
  /** Make a task's data, so that they are there when it comes. */
  | { readonly type: "prepare"; readonly id: number; readonly task: Task; readonly crops: readonly Image[] };

export type FromThread =
  | { readonly type: "ready"; readonly backend: StartedBackend }
  | { readonly type: "broken"; readonly reason: string; readonly badInput: boolean }
  | { readonly type: "prepared"; readonly id: number; readonly seconds: number }
  | { readonly type: "done"; readonly id: number; readonly outcome: TaskOutcome; readonly tensorBytes: number }
  | { readonly type: "failed"; readonly id: number; readonly reason: string; readonly tensorBytes: number };
