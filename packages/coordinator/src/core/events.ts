/**
 * The language of the coordinator's core: what can happen to it and what it wants done.
 *
 * The core decides (which task to whom, is this worker dead, what is the next θ) and touches nothing: sockets, clocks,
 * files and NATS sit in shells that turn the world into events and carry out the effects. So the whole cluster also
 * runs in one process under a simulated clock and network.
 */
import type { BackendName, RunEvent, StepSummary, Task, TaskOutcome } from "@mzsr/shared";

export type { RunEvent, StepSummary } from "@mzsr/shared";

/** One connection of a worker: a new one after every reconnect. */
export type SessionId = string;

export interface WorkerHello {
  /** Stable over reconnections of the same process. */
  readonly worker: string;
  /** Changes at every start of the process. */
  readonly incarnation: string;
  readonly backend: BackendName;
  readonly slots: number;
  readonly host: string;
  readonly version: string;
  /** host:port of its /metrics, empty when there is none. */
  readonly metricsAddress: string;
}

export type CoordinatorEvent =
  | { readonly type: "join"; readonly session: SessionId; readonly hello: WorkerHello }
  | { readonly type: "disconnected"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "goodbye"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "heartbeat"; readonly worker: string; readonly via: "nats" | "stream"; readonly busySlots: number }
  | { readonly type: "result"; readonly session: SessionId; readonly lease: string; readonly outcome: TaskOutcome }
  | { readonly type: "failure"; readonly session: SessionId; readonly lease: string; readonly reason: string }
  | { readonly type: "tick" }
  /** Finish the steps in flight, checkpoint, stop. */
  | { readonly type: "stop"; readonly reason: string };

export interface Lease {
  readonly id: string;
  readonly task: Task;
}

export type CoordinatorEffect =
  | { readonly type: "welcome"; readonly session: SessionId }
  | { readonly type: "refuse"; readonly session: SessionId; readonly reason: string; readonly retry: boolean }
  /** Send θ before `step`; the shell serialises it once per step. Always precedes the first lease that needs it. */
  | { readonly type: "parameters"; readonly session: SessionId; readonly step: number }
  | { readonly type: "assign"; readonly session: SessionId; readonly leases: readonly Lease[] }
  | { readonly type: "cancel"; readonly session: SessionId; readonly leases: readonly string[] }
  | { readonly type: "drain"; readonly session: SessionId; readonly reason: string; readonly finished: boolean }
  /** Close the stream: the worker was declared lost or quarantined. */
  | { readonly type: "disconnect"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "event"; readonly event: RunEvent }
  /** A task's life ended: for counters and histograms. */
  | {
      readonly type: "taskEnded";
      readonly worker: string;
      readonly outcome: "accepted" | "refused" | "failed" | "lost" | "late" | "repeated" | "audited";
      readonly seconds: number;
      readonly bytes: number;
    }
  | { readonly type: "step"; readonly summary: StepSummary }
  | { readonly type: "checkpoint"; readonly step: number; readonly reason: "interval" | "stop" | "finished" | "stage" }
  /** The run is over; `complete` says whether it reached its last step. */
  | { readonly type: "ended"; readonly complete: boolean };
