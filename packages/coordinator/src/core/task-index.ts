import type { BackendName, Task } from "@mzsr/shared";
import { byOrder, Moments } from "./moments.js";
import { merged, OrderedSet } from "./ordered-set.js";
import type { TaskEntry } from "./task-entry.js";
import type { StageTimes, TaskTimes } from "./task-times.js";

type Stage = Task["stage"];

/** Unsettled tasks of one stage by the moments that matter. */
interface StageIndex {
  /** That one worker computes, by the moment of its lease. */
  readonly single: Moments<TaskEntry>;
  /** That several compute, by the moment of the newest lease. */
  readonly multiple: Moments<TaskEntry>;
  /** That have a result which waits for its audit, by the moment of the first one. */
  readonly audits: Moments<TaskEntry>;
}

/** How long audits of a stage may take, and those that wait. */
interface StageAudits {
  readonly times: TaskTimes;
  readonly audits: Moments<TaskEntry>;
}

/** Finds unsettled tasks of all open steps by what is to be done about them. Kept up to date by the board. */
export class TaskIndex {
  readonly #times: StageTimes;
  readonly #stages: Readonly<Record<Stage, StageIndex>>;
  readonly #audits: readonly StageAudits[];
  readonly #voted = new OrderedSet<TaskEntry>(byOrder);
  readonly #votedOn = new Map<BackendName, number>();
  readonly #backendOf = new Map<TaskEntry, BackendName>();
  readonly #changedAudits = new OrderedSet<TaskEntry>(byOrder);
  readonly #dissent = new Moments<TaskEntry>();

  constructor(times: StageTimes) {
    this.#times = times;
    const [pretraining, metaTraining] = [newStageIndex(), newStageIndex()];
    this.#stages = { pretraining, metaTraining };
    this.#audits = [
      { times: times.pretraining, audits: pretraining.audits },
      { times: times.metaTraining, audits: metaTraining.audits },
    ];
  }

  /** Audited, with a result, by step, then index. */
  get voted(): Iterable<TaskEntry> {
    return this.#voted;
  }

  /** Of these, the ones whose leases or results have changed since they were taken out of here. */
  get changedAudits(): OrderedSet<TaskEntry> {
    return this.#changedAudits;
  }

  /** That are being computed, by everybody for longer than usual; the one that somebody has computed for longest first. */
  *slow(nowMs: number): Generator<TaskEntry> {
    yield* merged(this.#slowOf("pretraining", nowMs), this.#slowOf("metaTraining", nowMs), byOldestLease);
  }

  /** Whose audit has taken as long as it may. */
  overdueAudits(nowMs: number): readonly TaskEntry[] {
    const overdue: TaskEntry[] = [];
    for (const { times, audits } of this.#audits) {
      const { auditMs } = times;
      for (const entry of audits.until((ms) => nowMs - ms >= auditMs)) overdue.push(entry);
    }
    return overdue;
  }

  /** The first moment after `nowMs` at which an audit has taken as long as it may; infinite when there is none. */
  nextOverdueMs(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { times, audits } of this.#audits) {
      const { auditMs } = times;
      const begunMs = audits.next((ms) => ms + auditMs <= nowMs);
      if (begunMs !== undefined) next = Math.min(next, begunMs + auditMs);
    }
    return next;
  }

  /** Since when workers contradict each other over tasks and nobody is there to decide. */
  get dissent(): Moments<TaskEntry> {
    return this.#dissent;
  }

  /** Backends of the first results of the voted tasks. */
  get votedBackends(): Iterable<BackendName> {
    return this.#votedOn.keys();
  }

  /** The task's leases, results or settlement have changed. */
  file(entry: TaskEntry): void {
    const open = entry.settled === undefined;
    const { single, multiple } = this.#stages[entry.task.stage];
    const size = open ? entry.leases.size : 0;
    single.set(entry, size === 1 ? newestLeaseMs(entry) : undefined);
    multiple.set(entry, size > 1 ? newestLeaseMs(entry) : undefined);
    const voted = open && entry.audited && entry.votes.length > 0;
    this.#voted.toggle(entry, voted);
    this.#changedAudits.toggle(entry, voted);
    this.#countBackend(entry, voted ? entry.votes[0]!.backend : undefined);
    this.fileWaits(entry);
  }

  /** The moments from which on its audit waits have changed. */
  fileWaits(entry: TaskEntry): void {
    const open = entry.settled === undefined;
    this.#stages[entry.task.stage].audits.set(entry, open ? entry.auditMs : undefined);
    this.#dissent.set(entry, open ? entry.dissentMs : undefined);
  }

  *#slowOf(stage: Stage, nowMs: number): Generator<TaskEntry> {
    const { slowMs } = this.#times[stage];
    const isSlow = (ms: number) => nowMs - ms >= slowMs;
    const { single, multiple } = this.#stages[stage];
    yield* merged(single.until(isSlow), [...multiple.until(isSlow)].sort(byOldestLease), byOldestLease);
  }

  #countBackend(entry: TaskEntry, backend: BackendName | undefined): void {
    const before = this.#backendOf.get(entry);
    if (before === backend) return;
    if (before !== undefined) {
      const left = this.#votedOn.get(before)! - 1;
      if (left === 0) this.#votedOn.delete(before);
      else this.#votedOn.set(before, left);
      this.#backendOf.delete(entry);
    }
    if (backend !== undefined) {
      this.#votedOn.set(backend, (this.#votedOn.get(backend) ?? 0) + 1);
      this.#backendOf.set(entry, backend);
    }
  }
}

function newStageIndex(): StageIndex {
  return { single: new Moments(), multiple: new Moments(), audits: new Moments() };
}

function newestLeaseMs({ leases }: TaskEntry): number | undefined {
  let newest: number | undefined;
  for (const { grantedMs } of leases) newest = Math.max(newest ?? grantedMs, grantedMs);
  return newest;
}

function byOldestLease(a: TaskEntry, b: TaskEntry): number {
  return oldestLeaseMs(a) - oldestLeaseMs(b) || byOrder(a, b);
}

function oldestLeaseMs({ leases }: TaskEntry): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (const { grantedMs } of leases) oldest = Math.min(oldest, grantedMs);
  return oldest;
}
