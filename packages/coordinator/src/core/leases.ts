/**
 * The tasks of the open steps, the leases on them and the results they have: bookkeeping without opinions.
 *
 * A task is settled when the result that counts is known. An ordinary task is settled by its first result; an audited
 * one by its audit (audits.ts), for which it collects a vote from each worker that computed it.
 *
 * All changes go through the board, which keeps what is asked for at every event in order (lease-moments.ts, task-index.ts):
 * so an event costs what it changes, however many tasks and leases there are.
 */
import type { BackendName, Task, TaskReport } from "@mzsr/shared";
import { EntrySet } from "./entry-set.js";
import type { SessionId } from "./events.js";
import { LeaseMoments } from "./lease-moments.js";
import { type GrantedLease, isPending, isWanting, type LeaseKind, type TaskEntry, type Vote } from "./task-entry.js";
import { TaskIndex } from "./task-index.js";
import type { StageTimes } from "./task-times.js";

export {
  backendOf,
  type GrantedLease,
  isPending,
  type LeaseKind,
  soughtWorkers,
  type TaskEntry,
  type Vote,
} from "./task-entry.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface BoardEntry extends Mutable<Omit<TaskEntry, "task" | "order" | "leases" | "votes" | "failures">> {
  readonly task: Task;
  readonly order: number;
  readonly leases: Set<GrantedLease>;
  readonly votes: Vote[];
  readonly failures: string[];
}

export interface OpenStep {
  readonly step: number;
  /** By task index. */
  readonly entries: readonly TaskEntry[];
  /** When its first task was leased. */
  readonly begunMs: number | undefined;
  /** Tasks whose result is not known yet. */
  readonly unsettled: number;
  /** Tasks without a lease or a result: those that nobody was told of, and those that somebody was told of. */
  readonly unannounced: Iterable<TaskEntry> & { readonly size: number };
  readonly announced: Iterable<TaskEntry> & { readonly size: number };
  /** Of the unannounced, those that nobody has failed at: told of first. */
  readonly fresh: { readonly first: TaskEntry | undefined };
  /** Audited tasks of which more workers are wanted than compute them. */
  readonly wanting: Iterable<TaskEntry> & { readonly size: number };
  /** Unsettled tasks that somebody computes. */
  readonly leased: Iterable<TaskEntry>;
}

interface BoardStep extends OpenStep {
  readonly entries: readonly BoardEntry[];
  begunMs: number | undefined;
  unsettled: number;
  readonly unannounced: EntrySet;
  readonly announced: EntrySet;
  readonly fresh: EntrySet;
  readonly wanting: EntrySet;
  readonly leased: EntrySet;
}

/** Everything that a grant says. */
export interface GrantRequest {
  readonly entry: TaskEntry;
  readonly worker: string;
  readonly session: SessionId;
  readonly backend: BackendName;
  readonly kind: LeaseKind;
  readonly groupable: boolean;
}

const NO_LEASES: ReadonlySet<GrantedLease> = new Set();

export interface TaskBoardParts {
  /** Makes lease ids of different lives of a coordinator different. */
  readonly idPrefix: string;
  readonly times: StageTimes;
  /** Copies that have run out of time since the session's worker answered last. */
  readonly lapsedTrials: (session: SessionId) => number;
}

export class TaskBoard {
  readonly #idPrefix: string;
  readonly #steps = new Map<number, BoardStep>();
  readonly #leases = new Map<string, GrantedLease>();
  readonly #leasesBySession = new Map<SessionId, Set<GrantedLease>>();
  readonly #moments: LeaseMoments;
  readonly #index: TaskIndex;
  #ahead: BoardStep | undefined;
  #granted = 0;
  #drawn = 0;
  #changedSessions = new Set<SessionId>();

  constructor({ idPrefix, times, lapsedTrials }: TaskBoardParts) {
    this.#idPrefix = idPrefix;
    this.#moments = new LeaseMoments(times, lapsedTrials);
    this.#index = new TaskIndex(times);
  }

  /** In ascending order. */
  get steps(): readonly OpenStep[] {
    return [...this.#steps.values()];
  }

  /** The step after the open ones, as far as it has been drawn. */
  get ahead(): OpenStep | undefined {
    return this.#ahead;
  }

  get leases(): Iterable<GrantedLease> {
    return this.#leases.values();
  }

  /** When leases are slow and when they are over. */
  get moments(): LeaseMoments {
    return this.#moments;
  }

  /** Unsettled tasks as they are asked for. */
  get tasks(): TaskIndex {
    return this.#index;
  }

  /** Draws the step after the open ones; it has no leases before it is opened. */
  drawAhead(step: number, tasks: readonly DrawnTask[]): void {
    this.#ahead = this.#newStep(step, tasks);
  }

  /** Opens the next step; steps are opened in order. @param draw its tasks, where it has not been drawn ahead */
  open(step: number, draw: () => readonly DrawnTask[]): void {
    const ahead = this.#ahead?.step === step ? this.#ahead : undefined;
    if (ahead) this.#ahead = undefined;
    this.#steps.set(step, ahead ?? this.#newStep(step, draw()));
  }

  has(step: number): boolean {
    return this.#steps.has(step);
  }

  /** What is said of the results of `step`, in index order, once every task is settled. */
  settledReports(step: number): TaskReport[] | undefined {
    const open = this.#steps.get(step);
    return open?.unsettled === 0 ? open.entries.map(({ settled }) => settled!.report) : undefined;
  }

  begunMs(step: number): number | undefined {
    return this.#steps.get(step)?.begunMs;
  }

  /** The step is reduced, or shall not be: forgets it. All leases that anybody waits for must have ended. */
  close(step: number): void {
    this.#steps.delete(step);
  }

  grant(request: GrantRequest, nowMs: number): GrantedLease {
    const entry = writable(request.entry);
    const { worker, session, backend, kind, groupable } = request;
    const order = this.#granted++;
    const id = `${this.#idPrefix}${order}`;
    const lease: GrantedLease = { id, order, entry, worker, session, backend, kind, groupable, grantedMs: nowMs };
    if (kind === "trial") entry.copies++;
    else entry.leases.add(lease);
    entry.grants++;
    this.#leases.set(id, lease);
    if (!this.#leasesBySession.has(session)) this.#leasesBySession.set(session, new Set());
    this.#leasesBySession.get(session)!.add(lease);
    this.#changedSessions.add(session);
    this.#moments.set(lease);
    this.#steps.get(entry.task.step)!.begunMs ??= nowMs;
    this.#file(entry);
    return lease;
  }

  find(id: string): GrantedLease | undefined {
    return this.#leases.get(id);
  }

  end(lease: GrantedLease): void {
    if (!this.#leases.delete(lease.id)) return;
    const entry = writable(lease.entry);
    if (lease.kind === "trial") entry.copies--;
    else entry.leases.delete(lease);
    const { session } = lease;
    const others = this.#leasesBySession.get(session)!;
    others.delete(lease);
    if (others.size === 0) this.#leasesBySession.delete(session);
    this.#changedSessions.add(session);
    this.#moments.delete(lease);
    this.#file(entry);
  }

  /** In the order in which they were granted. */
  leasesOf(session: SessionId): ReadonlySet<GrantedLease> {
    return this.#leasesBySession.get(session) ?? NO_LEASES;
  }

  /** Sessions whose leases have changed since the last call. */
  takeChangedSessions(): Iterable<SessionId> {
    const changed = this.#changedSessions;
    if (changed.size > 0) this.#changedSessions = new Set();
    return changed;
  }

  /** A lease of the task ran out of time. */
  expired(task: TaskEntry): void {
    const entry = writable(task);
    entry.expirations++;
    for (const lease of entry.leases) this.#moments.set(lease);
  }

  vote(task: TaskEntry, vote: Vote): void {
    const entry = writable(task);
    entry.votes.push(vote);
    this.#file(entry);
  }

  audit(task: TaskEntry): void {
    const entry = writable(task);
    entry.audited = true;
    this.#file(entry);
  }

  /**
   * The result that counts is known, and has been added up: gradients need not be kept any more.
   * @param vote one of the task's, or the first
   */
  settle(task: TaskEntry, vote: Vote): void {
    const entry = writable(task);
    if (entry.settled === undefined) this.#countUnsettled(entry, -1);
    entry.settled = withoutGradient(vote);
    if (entry.votes.length === 0) entry.votes.push(vote);
    for (const [i, each] of entry.votes.entries()) entry.votes[i] = withoutGradient(each);
    this.#file(entry);
  }

  /** The result that counted does not any more, nor does any other: the task begins anew. */
  reopen(task: TaskEntry): void {
    const entry = writable(task);
    if (entry.settled !== undefined) this.#countUnsettled(entry, 1);
    entry.settled = undefined;
    entry.votes.length = 0;
    entry.auditMs = undefined;
    this.#file(entry);
  }

  confirm(task: TaskEntry, confirmed: boolean): void {
    writable(task).confirmed = confirmed;
  }

  /** The worker's results for this unsettled task do not count any more. Returns how many there were. */
  dropVotes(task: TaskEntry, worker: string): number {
    const entry = writable(task);
    const kept = entry.votes.filter((vote) => vote.worker !== worker);
    const dropped = entry.votes.length - kept.length;
    entry.votes.splice(0, entry.votes.length, ...kept);
    if (kept.length === 0) entry.auditMs = undefined;
    this.#file(entry);
    return dropped;
  }

  failed(task: TaskEntry, worker: string, nowMs: number): void {
    const entry = writable(task);
    entry.failures.push(worker);
    entry.failedMs ??= nowMs;
    this.#file(entry);
  }

  /** Since when the task's result waits for its audit, and its workers contradict each other. */
  waits(task: TaskEntry, { auditMs, dissentMs }: Pick<TaskEntry, "auditMs" | "dissentMs">): void {
    const entry = writable(task);
    entry.auditMs = auditMs;
    entry.dissentMs = dissentMs;
    this.#index.fileWaits(entry);
  }

  /** @param session that is told of the task; `undefined`: it counts for nothing any more */
  announce(task: TaskEntry, session: SessionId | undefined): void {
    const entry = writable(task);
    entry.announcedTo = session;
    this.#file(entry);
  }

  /** The coordinator was away for `ms`: no lease has run meanwhile. */
  discountPause(ms: number): void {
    for (const lease of this.#leases.values()) {
      lease.grantedMs += ms;
      this.#changedSessions.add(lease.session);
    }
    for (const { entries } of this.#steps.values()) {
      for (const entry of entries) {
        if (entry.settled !== undefined) continue;
        if (entry.dissentMs !== undefined) entry.dissentMs += ms;
        if (entry.auditMs !== undefined) entry.auditMs += ms;
        if (entry.failedMs !== undefined) entry.failedMs += ms;
        this.#file(entry);
        this.#index.fileWaits(entry);
      }
    }
    this.#moments.shift(ms);
  }

  #newStep(step: number, tasks: readonly DrawnTask[]): BoardStep {
    const entries = tasks.map(({ task, audited }) => newEntry(task, audited, this.#drawn++));
    const open: BoardStep = {
      step,
      entries,
      begunMs: undefined,
      unsettled: entries.length,
      unannounced: new EntrySet(entries),
      announced: new EntrySet(entries),
      fresh: new EntrySet(entries),
      wanting: new EntrySet(entries),
      leased: new EntrySet(entries),
    };
    for (const entry of entries) fileInStep(open, entry);
    return open;
  }

  #file(entry: BoardEntry): void {
    const { step } = entry.task;
    const open = this.#steps.get(step) ?? (this.#ahead?.step === step ? this.#ahead : undefined);
    if (!open) return;
    fileInStep(open, entry);
    this.#index.file(entry);
  }

  #countUnsettled({ task }: TaskEntry, change: number): void {
    const open = this.#steps.get(task.step);
    if (open) open.unsettled += change;
  }
}

export interface DrawnTask {
  readonly task: Task;
  readonly audited: boolean;
}

function withoutGradient(vote: Vote): Vote {
  if (vote.gradient === undefined) return vote;
  const { gradient: _, ...rest } = vote;
  return rest;
}

/** Every entry was made here. */
function writable(entry: TaskEntry): BoardEntry {
  return entry as BoardEntry;
}

function fileInStep(open: BoardStep, entry: TaskEntry): void {
  const pending = isPending(entry);
  const told = entry.announcedTo !== undefined;
  open.unannounced.toggle(entry, pending && !told);
  open.announced.toggle(entry, pending && told);
  open.fresh.toggle(entry, pending && !told && entry.failures.length === 0);
  open.wanting.toggle(entry, isWanting(entry));
  open.leased.toggle(entry, entry.settled === undefined && entry.leases.size > 0);
}

function newEntry(task: Task, audited: boolean, order: number): BoardEntry {
  return {
    task,
    order,
    audited,
    leases: new Set(),
    copies: 0,
    votes: [],
    settled: undefined,
    confirmed: false,
    grants: 0,
    expirations: 0,
    failures: [],
    failedMs: undefined,
    auditMs: undefined,
    dissentMs: undefined,
    announcedTo: undefined,
  };
}
