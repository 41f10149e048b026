import type { Task } from "@mzsr/shared";
import type { SessionId } from "./events.js";
import { byOrder, Moments } from "./moments.js";
import type { GrantedLease } from "./task-entry.js";
import type { StageTimes } from "./task-times.js";

type Stage = Task["stage"];

/** Leases that may last equally long: of one stage, and of tasks or workers that ran out of time equally often. */
interface DeadlineClass {
  readonly stage: Stage;
  readonly doublings: number;
  /** Somebody waits for them: they are no copies on trial. */
  readonly awaited: boolean;
  readonly leases: Moments<GrantedLease>;
}

/**
 * When leases are slow and when they are over. Both move with every result, for they count in usual times; what does not
 * move is the order of leases within a class, by age. So only the oldest of each class are looked at.
 */
export class LeaseMoments {
  readonly #times: StageTimes;
  readonly #lapsedTrials: (session: SessionId) => number;
  readonly #classes: DeadlineClass[] = [];
  readonly #classOf = new Map<GrantedLease, DeadlineClass>();

  constructor(times: StageTimes, lapsedTrials: (session: SessionId) => number) {
    this.#times = times;
    this.#lapsedTrials = lapsedTrials;
  }

  /** The lease is new, or how long it may last has changed. */
  set(lease: GrantedLease): void {
    const now = this.#class(lease.entry.task.stage, this.#doublings(lease), lease.kind !== "trial");
    const before = this.#classOf.get(lease);
    if (before === now) return;
    before?.leases.set(lease, undefined);
    now.leases.set(lease, lease.grantedMs);
    this.#classOf.set(lease, now);
  }

  delete(lease: GrantedLease): void {
    this.#classOf.get(lease)?.leases.set(lease, undefined);
    this.#classOf.delete(lease);
  }

  /** All have become `ms` younger. */
  shift(ms: number): void {
    for (const { leases } of this.#classes) leases.shift(ms);
  }

  /** Leases that have reached their deadline, in the order in which they were granted. */
  overdue(nowMs: number): GrantedLease[] {
    const overdue: GrantedLease[] = [];
    for (const { stage, doublings, leases } of this.#classes) {
      const deadlineMs = this.#times[stage].deadlineMs(doublings);
      for (const lease of leases.until((grantedMs) => nowMs - grantedMs >= deadlineMs)) overdue.push(lease);
    }
    return overdue.sort(byOrder);
  }

  /** Age at which the lease is over. Each copy on trial may take twice as long as the one before, whatever its task. */
  deadlineMs(lease: GrantedLease): number {
    return this.#times[lease.entry.task.stage].deadlineMs(this.#doublings(lease));
  }

  /** The first deadline after `nowMs`; infinite when there is none. */
  nextDeadlineMs(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { stage, doublings, leases } of this.#classes) {
      next = Math.min(next, nextMoment(leases, this.#times[stage].deadlineMs(doublings), nowMs));
    }
    return next;
  }

  /** The first moment after `nowMs` at which a lease that somebody waits for becomes slow; infinite when there is none. */
  nextSlowMs(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { stage, awaited, leases } of this.#classes) {
      if (awaited) next = Math.min(next, nextMoment(leases, this.#times[stage].slowMs, nowMs));
    }
    return next;
  }

  #doublings({ kind, session, entry }: GrantedLease): number {
    return kind === "trial" ? this.#lapsedTrials(session) : entry.expirations;
  }

  #class(stage: Stage, doublings: number, awaited: boolean): DeadlineClass {
    const is = (each: DeadlineClass) =>
      each.stage === stage && each.doublings === doublings && each.awaited === awaited;
    let found = this.#classes.find(is);
    if (!found) {
      found = { stage, doublings, awaited, leases: new Moments() };
      this.#classes.push(found);
    }
    return found;
  }
}

function nextMoment(leases: Moments<GrantedLease>, afterMs: number, nowMs: number): number {
  const grantedMs = leases.next((ms) => ms + afterMs <= nowMs);
  return grantedMs === undefined ? Number.POSITIVE_INFINITY : grantedMs + afterMs;
}
