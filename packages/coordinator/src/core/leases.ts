/**
 * The tasks of the open steps, the leases on them and the results they have: bookkeeping without opinions.
 *
 * A task is settled when the result that counts is known. An ordinary task is settled by its first result; an audited
 * one by its audit (audits.ts), for which it collects a vote from each worker that computed it.
 */
import type { BackendName, Task, TaskOutcome } from "@mzsr/shared";
import type { SessionId } from "./events.js";

/**
 * Why a lease was given: the task's first, a second opinion, the same worker once more, beside a slow one, or as a copy for
 * a worker on trial, which nobody waits for and which does not end with its task.
 */
export type LeaseKind = "first" | "audit" | "again" | "backup" | "trial";

export interface GrantedLease {
  readonly id: string;
  readonly entry: TaskEntry;
  readonly worker: string;
  readonly session: SessionId;
  readonly backend: BackendName;
  readonly kind: LeaseKind;
  grantedMs: number;
}

/** A result of one worker. */
export interface Vote {
  readonly worker: string;
  readonly incarnation: string;
  readonly backend: BackendName;
  readonly outcome: TaskOutcome;
  /** Of the gradient's bytes; empty where nobody compares. */
  readonly hash: string;
}

export interface TaskEntry {
  readonly task: Task;
  audited: boolean;
  /** All but those of workers on trial. */
  readonly leases: Set<GrantedLease>;
  readonly votes: Vote[];
  /** The result that counts. */
  settled: Vote | undefined;
  /** Two workers agreed on it. */
  confirmed: boolean;
  /** Leases ever given, and those that ran out of time. */
  grants: number;
  expirations: number;
  /** Workers whose result was refused or who reported a failure, in order, with repetitions. */
  readonly failures: string[];
  /** When the first of them failed. */
  failedMs: number | undefined;
  /** Since when a result waits for its audit. */
  auditMs: number | undefined;
  /** Since when workers contradict each other and nobody is there to decide. */
  dissentMs: number | undefined;
}

export interface OpenStep {
  readonly step: number;
  /** By task index. */
  readonly entries: readonly TaskEntry[];
  /** When its first task was leased. */
  begunMs: number | undefined;
}

/** Everything that a grant says. */
export interface GrantRequest {
  readonly entry: TaskEntry;
  readonly worker: string;
  readonly session: SessionId;
  readonly backend: BackendName;
  readonly kind: LeaseKind;
}

export class TaskBoard {
  readonly #idPrefix: string;
  readonly #steps = new Map<number, OpenStep>();
  readonly #leases = new Map<string, GrantedLease>();
  #granted = 0;

  /** @param idPrefix makes lease ids of different lives of a coordinator different */
  constructor(idPrefix: string) {
    this.#idPrefix = idPrefix;
  }

  /** In ascending order. */
  get steps(): readonly OpenStep[] {
    return [...this.#steps.values()];
  }

  get leases(): Iterable<GrantedLease> {
    return this.#leases.values();
  }

  /** Unsettled tasks by step, then index. */
  *unsettled(): Generator<TaskEntry> {
    for (const { entries } of this.#steps.values()) {
      for (const entry of entries) if (entry.settled === undefined) yield entry;
    }
  }

  /** Opens the next step; steps are opened in order. */
  open(step: number, tasks: readonly { readonly task: Task; readonly audited: boolean }[]): void {
    const entries = tasks.map(({ task, audited }) => newEntry(task, audited));
    this.#steps.set(step, { step, entries, begunMs: undefined });
  }

  has(step: number): boolean {
    return this.#steps.has(step);
  }

  /** The results of `step` in index order, once every task is settled. */
  settledOutcomes(step: number): TaskOutcome[] | undefined {
    const outcomes = this.#steps.get(step)?.entries.map(({ settled }) => settled?.outcome);
    return outcomes?.every((outcome) => outcome !== undefined) ? outcomes : undefined;
  }

  /** The step is reduced, or shall not be: forgets it. Its leases must have ended. */
  close(step: number): void {
    this.#steps.delete(step);
  }

  grant(request: GrantRequest, nowMs: number): GrantedLease {
    const { entry } = request;
    const lease: GrantedLease = { ...request, id: `${this.#idPrefix}${this.#granted++}`, grantedMs: nowMs };
    if (lease.kind !== "trial") entry.leases.add(lease);
    entry.grants++;
    this.#leases.set(lease.id, lease);
    const step = this.#steps.get(entry.task.step)!;
    step.begunMs ??= nowMs;
    return lease;
  }

  find(id: string): GrantedLease | undefined {
    return this.#leases.get(id);
  }

  end(lease: GrantedLease): void {
    this.#leases.delete(lease.id);
    lease.entry.leases.delete(lease);
  }

  leasesOf(session: SessionId): GrantedLease[] {
    return [...this.#leases.values()].filter((lease) => lease.session === session);
  }

  /** The coordinator was away for `ms`: no lease has run meanwhile. */
  discountPause(ms: number): void {
    for (const lease of this.#leases.values()) lease.grantedMs += ms;
    for (const entry of this.unsettled()) {
      if (entry.dissentMs !== undefined) entry.dissentMs += ms;
      if (entry.auditMs !== undefined) entry.auditMs += ms;
      if (entry.failedMs !== undefined) entry.failedMs += ms;
    }
  }
}

function newEntry(task: Task, audited: boolean): TaskEntry {
  return {
    task,
    audited,
    leases: new Set(),
    votes: [],
    settled: undefined,
    confirmed: false,
    grants: 0,
    expirations: 0,
    failures: [],
    failedMs: undefined,
    auditMs: undefined,
    dissentMs: undefined,
  };
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
