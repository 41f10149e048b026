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
 * that one slow worker does not hold up a step.
 */
export function dispatch(context: DispatchContext): void {
  const slots = new FreeSlots(context);
  if (slots.none) return;
  for (const { entries } of context.board.steps) {
    giveAnnounced(entries, context, slots);
    for (const entry of unannouncedFirst(entries.filter(isPending), context)) {
      slots.give(entry, "first", (member) => !hasFailed(entry, member));
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
  for (const { entry, grantedMs } of board.leases) if (mayBeBackedUp(entry)) yield grantedMs + timesOf(entry).slowMs;
}

export function busySlots(board: TaskBoard, member: Member): number {
  return member.session === undefined ? 0 : board.leasesOf(member.session).length;
}

function giveAnnounced(entries: readonly TaskEntry[], { announcedTo }: DispatchContext, slots: FreeSlots): void {
  for (const entry of entries) {
    const session = isPending(entry) ? announcedTo(entry) : undefined;
    const told = (member: Member) => member.session === session && !hasFailed(entry, member);
    if (session !== undefined) slots.give(entry, "first", told, told);
  }
}

/** A worker without news takes what nobody was told of before it takes what another one is getting ready for. */
function unannouncedFirst(entries: readonly TaskEntry[], { announcedTo }: DispatchContext): readonly TaskEntry[] {
  const isNews = (entry: TaskEntry) => announcedTo(entry) === undefined;
  return [...entries.filter(isNews), ...entries.filter((entry) => !isNews(entry))];
}

function giveAudit(entry: TaskEntry, { workers }: DispatchContext, slots: FreeSlots): void {
  if (!entry.audited || entry.settled !== undefined || isPending(entry)) return;
  const move = nextAuditMove(auditCase(entry, workers, { alone: false, waitedForThird: false }));
  if (move.move !== "compute") return;
  slots.give(
    entry,
    move.kind,
    (member) => !hasFailed(entry, member),
    ({ worker }) => move.by.includes(worker),
  );
}

function giveBackups({ board, timesOf, nowMs }: DispatchContext, slots: FreeSlots): void {
  const slow = [...board.leases].filter(
    ({ entry, grantedMs }) => mayBeBackedUp(entry) && nowMs - grantedMs >= timesOf(entry).slowMs,
  );
  slow.sort((a, b) => a.grantedMs - b.grantedMs);
  for (const { entry, worker } of slow) {
    if (slots.none) return;
    slots.give(
      entry,
      "backup",
      (member) => !hasFailed(entry, member),
      (member) => member.worker !== worker && mayHelp(entry, member),
    );
  }
}

/** One lease runs, and no second one that was given for its slowness or to audit it. */
function mayBeBackedUp(entry: TaskEntry): boolean {
  return entry.settled === undefined && entry.leases.size === 1;
}

/** The votes of an audited task come from different workers of one backend. */
function mayHelp(entry: TaskEntry, { worker, hello }: Member): boolean {
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

  /** Gives the task to one of the `allowed`, if possible to a `preferred` one. */
  give(
    entry: TaskEntry,
    kind: LeaseKind,
    preferred: (member: Member) => boolean,
    allowed: (member: Member) => boolean = () => true,
  ): void {
    const candidates = [...this.#free.keys()].filter(allowed);
    const best = this.#freest(candidates.filter(preferred)) ?? this.#freest(candidates);
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
