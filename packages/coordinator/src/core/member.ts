import type { WorkerState } from "@mzsr/shared";
import type { SessionId, WorkerHello } from "./events.js";
import type { RecentOutcomes } from "./recent-outcomes.js";

/** A worker's place in the cluster. Only the membership changes one. */
export interface Member {
  readonly worker: string;
  /** Members that came first come first. */
  readonly order: number;
  hello: WorkerHello;
  state: WorkerState;
  /** Why it is in this state. */
  reason: string;
  sinceMs: number;
  /** The open stream; `undefined` while it has none. */
  session: SessionId | undefined;
  lastHeardMs: number;
  tasksDone: number;
  tasksFailed: number;
  secondsPerTask: number | undefined;
  /** Steps whose parameters its session has been sent. */
  readonly parametersSent: Set<number>;
  /** Of the present incarnation, or the last one. */
  recentOutcomes: RecentOutcomes;
  /** Of the name, over its incarnations. */
  quarantines: number;
  quarantinedUntilMs: number;
  /** The incarnation that was quarantined last. */
  quarantinedIncarnation: string | undefined;
  /** The refusal told last, so that a worker which keeps knocking does not fill the event log. */
  recordedRefusal: string | undefined;
}
