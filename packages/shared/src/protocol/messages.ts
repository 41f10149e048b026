/**
 * The messages of a session as the program thinks of them. convert.ts turns them into protobuf and back, and checks
 * whatever arrives; nothing behind that border meets a generated type.
 */
import type { BackendName, Configuration } from "../config/schema.js";
import type { SumBytes } from "../exact-sums/exact-sum.js";
import type { RunStage, Task, TaskReport } from "../tasks/task.js";

/** How a worker introduces itself; fields as in cluster.proto. */
export interface Hello {
  readonly protocolVersion: number;
  /** Stable over reconnections of the same process. */
  readonly worker: string;
  /** Changes at every start of the process. */
  readonly incarnation: string;
  readonly backend: BackendName;
  readonly slots: number;
  readonly version: string;
  readonly host: string;
  /** host:port of its /metrics, empty when there is none. */
  readonly metricsAddress: string;
}

/** An image file of the run's data set. */
export interface DatasetImage {
  /** SHA-256 of the file, lower-case hex. */
  readonly sha256: string;
  readonly name: string;
  readonly bytes: number;
}

/** What to train, on what. */
export interface Welcome {
  readonly run: string;
  readonly configuration: Configuration;
  readonly images: readonly DatasetImage[];
  readonly heartbeatSeconds: number;
  /** Identifies this life of the coordinator. */
  readonly incarnation: string;
}

/** One task given to one worker. */
export interface Lease {
  readonly id: string;
  readonly task: Task;
  /** Its result may be part of a group. */
  readonly groupable: boolean;
}

/** θ before meta-step `step`, in layout order. */
export interface StepParameters {
  readonly stage: RunStage;
  readonly step: number;
  readonly theta: Float32Array;
}

/** The result of one task. */
export interface TaskResult {
  readonly lease: string;
  readonly report: TaskReport;
  /** float32, little-endian, in layout order, at any alignment. */
  readonly gradient: Uint8Array;
}

/** One of the tasks that a group's sum is of. */
export interface GroupedTask {
  readonly lease: string;
  readonly report: TaskReport;
  /** Of its gradient's bytes, lower-case hex. */
  readonly sha256: string;
}

/** The results of several tasks of one step, as one exact sum (docs/design.md §6). */
export interface GroupResult {
  readonly tasks: readonly GroupedTask[];
  readonly sum: SumBytes;
}

export type WorkerToCoordinator =
  | ({ readonly type: "hello" } & Hello)
  | ({ readonly type: "result" } & TaskResult)
  | ({ readonly type: "group" } & GroupResult)
  | { readonly type: "failure"; readonly lease: string; readonly reason: string }
  | { readonly type: "goodbye"; readonly reason: string }
  | { readonly type: "heartbeat"; readonly sentAtMs: number; readonly busySlots: number };

export type CoordinatorToWorker =
  | ({ readonly type: "welcome" } & Welcome)
  | ({ readonly type: "parameters" } & StepParameters)
  | { readonly type: "assign"; readonly leases: readonly Lease[] }
  | { readonly type: "announce"; readonly tasks: readonly Task[] }
  | { readonly type: "cancel"; readonly leases: readonly string[] }
  | { readonly type: "drain"; readonly reason: string; readonly finished: boolean }
  | { readonly type: "refusal"; readonly reason: string; readonly retry: boolean };
