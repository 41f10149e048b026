import type { BackendName, Task, TaskReport } from "@mzsr/shared";
import type { SessionId } from "./events.js";

/**
 * Why a lease was given: the task's first, a second opinion, the same worker once more, beside a slow one, or as a copy for
 * a worker on trial, which nobody waits for and which does not end with its task.
 */
export type LeaseKind = "first" | "audit" | "again" | "backup" | "trial";

export interface GrantedLease {
  readonly id: string;
  /** Leases that were granted first come first. */
  readonly order: number;
  readonly entry: TaskEntry;
  readonly worker: string;
  readonly session: SessionId;
  readonly backend: BackendName;
  readonly kind: LeaseKind;
  /** Its result may come added up with others of the step. */
  readonly groupable: boolean;
  grantedMs: number;
}

/** A result of one worker. */
export interface Vote {
  readonly worker: string;
  readonly incarnation: string;
  readonly backend: BackendName;
  readonly report: TaskReport;
  /** Of the gradient's bytes; empty where nobody compares. */
  readonly hash: string;
  /** float32, little-endian; kept only while it waits for its audit. */
  readonly gradient?: Uint8Array;
}

/** Only the board changes one. */
export interface TaskEntry {
  readonly task: Task;
  /** By step, then index. */
  readonly order: number;
  readonly audited: boolean;
  /** All but those of workers on trial. */
  readonly leases: ReadonlySet<GrantedLease>;
  /** Leases of workers on trial. */
  readonly copies: number;
  readonly votes: readonly Vote[];
  /** The result that counts. */
  readonly settled: Vote | undefined;
  /** Two workers agreed on it. */
  readonly confirmed: boolean;
  /** Leases ever given, and those that ran out of time. */
  readonly grants: number;
  readonly expirations: number;
  /** Workers whose result was refused or who reported a failure, in order, with repetitions. */
  readonly failures: readonly string[];
  /** When the first of them failed. */
  readonly failedMs: number | undefined;
  /** Since when a result waits for its audit. */
  readonly auditMs: number | undefined;
  /** Since when workers contradict each other and nobody is there to decide. */
  readonly dissentMs: number | undefined;
  /** The session that was told of the task ahead of its lease. */
  readonly announcedTo: SessionId | undefined;
}

/** The backend that a second opinion on the task must come from; `undefined` while any will do. */
export function backendOf(entry: TaskEntry): BackendName | undefined {
  const [lease] = entry.leases;
  return entry.votes[0]?.backend ?? lease?.backend;
}

/** Nobody computes it and nobody has. */
export function isPending(entry: TaskEntry): boolean {
  return entry.settled === undefined && entry.leases.size === 0 && entry.votes.length === 0;
}

/** Its audit waits for workers: for a second opinion while nobody has answered, then for one more at a time. */
export function isWanting({ audited, settled, leases, votes }: TaskEntry): boolean {
  if (!audited || settled !== undefined || leases.size + votes.length === 0) return false;
  return leases.size < soughtWorkers(votes);
}

/** Workers that shall be computing an audited task at a time. */
export function soughtWorkers(votes: readonly Vote[]): number {
  return votes.length === 0 ? 2 : 1;
}
