/** What the main thread, the thread that has the GPU, and those that make data say to each other. */
import type { AdapterDescription, BatchTimes } from "@mzsr/engine-webgpu";
import type { Image } from "@mzsr/mzsr";
import type { Task, TaskOutcome } from "@mzsr/shared";
import type { ComputeSettings } from "../compute/compute-messages.js";
import type { TaskData } from "../compute/task-data.js";
import type { StagePlan } from "./run-plan.js";

/** The `workerData` of the thread that has the GPU. */
export interface GpuThreadData {
  /** Which of the GPUs; by default the one that the driver prefers. */
  readonly device: number | undefined;
}

/** Tasks to be computed at once. */
export interface Batch {
  readonly id: number;
  readonly plan: StagePlan;
  readonly settings: ComputeSettings;
  readonly tasks: readonly BatchTask[];
}

export interface BatchTask {
  /** The same object where tasks start from the same parameters: it then comes, and goes to the GPU, once. */
  readonly theta: Float32Array;
  readonly stepWeights: readonly number[];
  readonly data: TaskData;
}

/** A task's numbers, as the GPU gives them. */
export type BatchResult = Pick<TaskOutcome, "gradient" | "supportLosses" | "queryLosses">;

export type FromGpuThread =
  | { readonly type: "ready"; readonly adapter: AdapterDescription }
  | { readonly type: "broken"; readonly reason: string; readonly badInput: boolean }
  | {
      readonly type: "done";
      readonly id: number;
      readonly results: readonly BatchResult[];
      readonly times: BatchTimes;
    }
  | { readonly type: "failed"; readonly id: number; readonly reason: string };

/** Makes a task's data. */
export interface DataOrder {
  readonly id: number;
  readonly task: Task;
  readonly crops: readonly Image[];
}

export type FromDataThread =
  | { readonly type: "made"; readonly id: number; readonly data: TaskData; readonly seconds: number }
  | { readonly type: "failed"; readonly id: number; readonly reason: string };
