/** Which task goes to whom. */
import { auditCase, nextAuditMove } from "./audits.js";
import type { SessionId } from "./events.js";
import { backendOf, isPending, type LeaseKind, type TaskBoard, type TaskEntry } from "./leases.js";
import type { Member } from "./membership.js";
import type { TaskTimes } from "./task-times.js";

export interface DispatchContext {
  readonly board: TaskBoard;
  /** Workers that may be given tasks. */
  readonly workers: readonly Member[];
  /** Workers that may be given copies of what others compute. */
  readonly onTrial: readonly Member[];
  readonly timesOf: (entry: TaskEntry) => TaskTimes;
  readonly nowMs: number;
  /** The session that was told of the task in advance, if any. */
  readonly announcedTo: (entry: TaskEntry) => SessionId | undefined;
  /** Gives the lease; the board shows it at once. */
  readonly grant: (entry: TaskEntry, member: Member, kind: LeaseKind) => void;
}

/**
 * Fills the free slots: step by step the tasks of which a free worker was told in advance, the others that nobody
 * computes, and the second opinions for audits; and when nothing of that is left, the slowest leases a second time, so
 * that one slow worker does not hold up a step. Last come the copies for workers on trial.
 */
export function dispatch(context: DispatchContext): void {
  giveTasks(context);
  for (const member of context.onTrial) giveCopy(member, context);
}

function giveTasks(context: DispatchContext): void {
  const slots = new FreeSlots(context);
  if (slots.none) return;
  for (const { entries } of context.board.steps) {
    giveAnnounced(entries, context, slots);
    for (const entry of unannouncedFirst(entries.filter(isPending), context)) {
      slots.give(entry, "first", [(member) => !hasFailed(entry, member)]);
    }
    for (const entry of entries) giveAudit(entry, context, slots);
    if (slots.none) return;
  }
  giveBackups(context, slots);
}

/** When leases become slow while a slot is free to take them up, in ms. */
export function* backupMoments(context: Pick<DispatchContext, "board" | "workers" | "timesOf">): Generator<number> {
  const { board, workers, timesOf } = context;
  if (workers.every((member) => busySlots(board, member) >= member.hello.slots)) return;
  for (const { entry, grantedMs, kind } of board.leases) {
    if (kind !== "trial" && entry.settled === undefined) yield grantedMs + timesOf(entry).slowMs;
  }
}

export function busySlots(board: TaskBoard, member: Member): number {
  return member.session === undefined ? 0 : board.leasesOf(member.session).length;
}

function giveAnnounced(entries: readonly TaskEntry[], { announcedTo }: DispatchContext, slots: FreeSlots): void {
  for (const entry of entries) {
    const session = isPending(entry) ? announcedTo(entry) : undefined;
    const announced = (member: Member) => member.session === session && !hasFailed(entry, member);
    if (session !== undefined) slots.give(entry, "first", [], announced);
  }
}

/** A worker without announcements takes what nobody was told of before it takes what another one is getting ready for. */
function unannouncedFirst(entries: readonly TaskEntry[], { announcedTo }: DispatchContext): readonly TaskEntry[] {
  const isUnannounced = (entry: TaskEntry) => announcedTo(entry) === undefined;
  return [...entries.filter(isUnannounced), ...entries.filter((entry) => !isUnannounced(entry))];
}

function giveAudit(entry: TaskEntry, { workers }: DispatchContext, slots: FreeSlots): void {
  if (!entry.audited || entry.settled !== undefined || isPending(entry)) return;
  const move = nextAuditMove(auditCase(entry, workers, { alone: false, waitedForThird: false, overdue: false }));
  if (move.move !== "compute") return;
  slots.give(entry, move.kind, reliableFirst(entry), ({ worker }) => move.by.includes(worker));
}

function giveBackups({ board, timesOf, nowMs }: DispatchContext, slots: FreeSlots): void {
  const slow = [...board.unsettled()].filter((entry) => isSlow(entry, timesOf(entry).slowMs, nowMs));
  const oldestMs = ({ leases }: TaskEntry) => Math.min(...[...leases].map(({ grantedMs }) => grantedMs));
  slow.sort((a, b) => oldestMs(a) - oldestMs(b));
  for (const entry of slow) {
    if (slots.none) return;
    slots.give(entry, "backup", reliableFirst(entry), (member) => mayHelp(entry, member));
  }
}

/** Somebody computes it, and everybody who does takes longer than usual: a backup that hangs as well gets one, too. */
function isSlow({ leases }: TaskEntry, slowMs: number, nowMs: number): boolean {
  return leases.size > 0 && [...leases].every(({ grantedMs }) => nowMs - grantedMs >= slowMs);
}

/** One copy at a time: of the first task that others compute and that it may be given. */
function giveCopy(member: Member, { board, grant }: DispatchContext): void {
  if (busySlots(board, member) > 0) return;
  for (const entry of board.unsettled()) {
    if (entry.leases.size === 0 || !mayHelp(entry, member)) continue;
    grant(entry, member, "trial");
    return;
  }
}

/** For what must not be held up again: those whose last lease brought a result, then all who have not failed at the task. */
function reliableFirst(entry: TaskEntry): readonly ((member: Member) => boolean)[] {
  const willing = (member: Member) => !hasFailed(entry, member);
  const reliable = (member: Member) =>
    willing(member) && member.tasksDone > 0 && member.recentOutcomes.unanswered === 0;
  return [reliable, willing];
}

/** It does not compute the task already; and the votes of an audited task come from different workers of one backend. */
export function mayHelp(entry: TaskEntry, { worker, hello }: Member): boolean {
  if ([...entry.leases].some((lease) => lease.worker === worker)) return false;
  if (!entry.audited) return true;
  return hello.backend === backendOf(entry) && !entry.votes.some((vote) => vote.worker === worker);
}

function hasFailed(entry: TaskEntry, { worker }: Member): boolean {
  return entry.failures.includes(worker);
}

/** The free slots of the workers, spread evenly: whoever has most of them is given the next task. */
class FreeSlots {
  readonly #free = new Map<Member, number>();
  readonly #grant: DispatchContext["grant"];

  constructor({ board, workers, grant }: DispatchContext) {
    this.#grant = grant;
    for (const member of workers) {
      const free = member.hello.slots - busySlots(board, member);
      if (free > 0) this.#free.set(member, free);
    }
  }

  get none(): boolean {
    return this.#free.size === 0;
  }

  /** Gives the task to one of the `allowed`, if there is one to the first that is preferred. */
  give(
    entry: TaskEntry,
    kind: LeaseKind,
    preferences: readonly ((member: Member) => boolean)[],
    allowed: (member: Member) => boolean = () => true,
  ): void {
    const candidates = [...this.#free.keys()].filter(allowed);
    const best = preferences.reduce<Member | undefined>(
      (found, preferred) => found ?? this.#freest(candidates.filter(preferred)),
      undefined,
    );
    this.#give(entry, kind, best ?? this.#freest(candidates));
  }

  #give(entry: TaskEntry, kind: LeaseKind, best: Member | undefined): void {
    if (!best) return;
    const left = this.#free.get(best)! - 1;
    if (left === 0) this.#free.delete(best);
    else this.#free.set(best, left);
    this.#grant(entry, best, kind);
  }

  #freest(candidates: readonly Member[]): Member | undefined {
    return candidates.reduce<Member | undefined>(
      (best, member) => (best === undefined || this.#free.get(member)! > this.#free.get(best)! ? member : best),
      undefined,
    );
  }
}
