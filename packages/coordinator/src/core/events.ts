/**
 * The language of the coordinator's core: what can happen to it and what it wants done.
 *
 * The core decides (which task to whom, is this worker dead, what is the next θ) and touches nothing: sockets, clocks,
 * files and NATS sit in shells that turn the world into events and carry out the effects. So the whole cluster also
 * runs in one process under a simulated clock and network.
 */
import type { GroupResult, Hello, Lease, RunEvent, StepSummary, Task, TaskResult } from "@mzsr/shared";
import type { TrainingState } from "./training-state.js";

export type { RunEvent, StepSummary } from "@mzsr/shared";

/** One connection of a worker: a new one after every reconnect. */
export type SessionId = string;

/** What the core needs of a worker's Hello: all but the secret, which is checked before. */
export type WorkerHello = Omit<Hello, "protocolVersion" | "token">;

export type CoordinatorEvent =
  | { readonly type: "join"; readonly session: SessionId; readonly hello: WorkerHello }
  | { readonly type: "disconnected"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "goodbye"; readonly session: SessionId; readonly reason: string }
  | {
      readonly type: "heartbeat";
      readonly worker: string;
      readonly incarnation: string;
      readonly via: "nats" | "stream";
      readonly busySlots: number;
    }
  /** The bytes of a gradient or sum are valid only while the event is handled. */
  | { readonly type: "result"; readonly session: SessionId; readonly result: TaskResult }
  | { readonly type: "group"; readonly session: SessionId; readonly group: GroupResult }
  | { readonly type: "failure"; readonly session: SessionId; readonly lease: string; readonly reason: string }
  | { readonly type: "tick" }
  /** Finish the steps in flight, checkpoint, stop. */
  | { readonly type: "stop"; readonly reason: string };

export type CoordinatorEffect =
  | { readonly type: "welcome"; readonly session: SessionId }
  | { readonly type: "refuse"; readonly session: SessionId; readonly reason: string; readonly retry: boolean }
  /** Send θ before `step`; the shell serialises it once per step. Always precedes the first lease that needs it. */
  | { readonly type: "parameters"; readonly session: SessionId; readonly step: number }
  | { readonly type: "assign"; readonly session: SessionId; readonly leases: readonly Lease[] }
  /** Tell a worker what it will probably be given next. Nothing depends on it. */
  | { readonly type: "announce"; readonly session: SessionId; readonly tasks: readonly Task[] }
  | { readonly type: "cancel"; readonly session: SessionId; readonly leases: readonly string[] }
  | { readonly type: "drain"; readonly session: SessionId; readonly reason: string; readonly finished: boolean }
  /** Close the stream: the worker was declared lost or quarantined. */
  | { readonly type: "disconnect"; readonly session: SessionId; readonly reason: string }
  | { readonly type: "event"; readonly event: RunEvent }
  /** A lease ended: for counters and histograms. Every lease ends once; only `late` and `dropped` come after the end. */
  | {
      readonly type: "taskEnded";
      readonly worker: string;
      readonly outcome: TaskEnd;
      /** Since the lease began; 0 for `late` and `dropped`. */
      readonly seconds: number;
      /** Gradient bytes that arrived with it; of a group's, its share. */
      readonly bytes: number;
      /** `refused`: a short code (task, size, losses, not-finite, element, norm). */
      readonly code?: string;
    }
  | { readonly type: "audit"; readonly result: AuditResult; readonly step: number; readonly index: number }
  | { readonly type: "step"; readonly summary: StepSummary }
  /** Write `state`: the core's own has moved on when several steps end at once. */
  | {
      readonly type: "checkpoint";
      readonly step: number;
      readonly reason: "interval" | "stop" | "finished" | "stage";
      readonly state: TrainingState;
    }
  /** The parameters after `step` are to be measured, their moving average where the run keeps one. */
  | {
      readonly type: "validation";
      readonly step: number;
      readonly theta: Float32Array;
      readonly average: Float32Array | undefined;
    }
  /** The run is over; `complete` says whether it reached its last step, `failure` why it never can. */
  | { readonly type: "ended"; readonly complete: boolean; readonly failure?: string };

/**
 * How a lease ended.
 * - accepted: its result is the task's result;
 * - audited: its result is a second opinion on an audited task;
 * - refused: its result was not admitted;
 * - failed: the worker said that it could not compute it;
 * - lost: no result came (the worker left, fell silent or ran out of time), or one that came in a group could not be told from
 *   others that nobody waited for any more;
 * - repeated: cancelled, because the task was settled by another worker's result; or a copy that a worker on trial
 *   computed after that;
 * - late: a result came for a lease that had ended already, and was dropped;
 * - dropped: an accepted result no longer counts, because an audit found its worker wrong, or one that it was added up with.
 */
export type TaskEnd = "accepted" | "audited" | "refused" | "failed" | "lost" | "repeated" | "late" | "dropped";

/**
 * How an audit ended: two workers agree; a wrong one was found; nobody else could compute it, or did in time; or workers contradict
 * each other and nobody could decide.
 */
export type AuditResult = "match" | "mismatch" | "skipped" | "undecided";
