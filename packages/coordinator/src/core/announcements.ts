import type { Task } from "@mzsr/shared";
import type { SessionId } from "./events.js";
import type { OpenStep, TaskBoard, TaskEntry } from "./leases.js";
import type { Member, Membership } from "./membership.js";

/** Slots for which nothing is announced yet. */
export interface UnannouncedSlots {
  /** Whose will be free first. */
  readonly firstUnannounced: Member | undefined;
  /** The member was told of a task. */
  update(member: Member): void;
}

const NOTHING: ReadonlySet<TaskEntry> = new Set();

/**
 * Who has been told of which task ahead of its lease. A worker that knows what comes next makes the task's data while it
 * would otherwise wait: for the step's last result, for θ, for a message. Only a hint: dispatch honours it where that
 * costs nothing, the task may still go to anybody, and nothing waits for it.
 */
export class Announcements {
  readonly #board: Pick<TaskBoard, "announce">;
  readonly #bySession = new Map<SessionId, Set<TaskEntry>>();
  #lapsed = new Set<SessionId>();

  constructor(board: Pick<TaskBoard, "announce">) {
    this.#board = board;
  }

  /** How many tasks the session was told of that have not been leased since. */
  countFor(session: SessionId): number {
    return this.to(session).size;
  }

  /** These tasks. */
  to(session: SessionId): ReadonlySet<TaskEntry> {
    return this.#bySession.get(session) ?? NOTHING;
  }

  /** The task has been given to somebody. Returns the session that was told of it. */
  leased(entry: TaskEntry): SessionId | undefined {
    const session = entry.announcedTo;
    if (session !== undefined) this.#forget(entry, session);
    return session;
  }

  /** The session may not be given tasks any more: unless it may again by then, `next` tells others. */
  lapse(session: SessionId): void {
    if (this.#bySession.has(session)) this.#lapsed.add(session);
  }

  /**
   * What to tell now: the next tasks that nobody was told of, to the workers whose slots will be free first, a slot a task.
   *
   * @param steps that are open, in order
   * @param ahead the step after them, drawn when it is asked for; `undefined` when there is none
   */
  next(
    steps: readonly OpenStep[],
    ahead: () => OpenStep | undefined,
    slots: UnannouncedSlots,
    membership: Pick<Membership, "bySession" | "eligibility">,
  ): Map<Member, Task[]> {
    this.#forgetLapsed(membership);
    const announcements = new Map<Member, Task[]>();
    for (;;) {
      const member = slots.firstUnannounced;
      if (!member) return announcements;
      const entry = steps.find(({ fresh }) => fresh.first !== undefined)?.fresh.first ?? ahead()?.fresh.first;
      if (!entry) return announcements;
      this.#tell(entry, member.session!);
      slots.update(member);
      if (!announcements.has(member)) announcements.set(member, []);
      announcements.get(member)!.push(entry.task);
    }
  }

  #forgetLapsed(membership: Pick<Membership, "bySession" | "eligibility">): void {
    for (const session of this.#lapsed) {
      const member = membership.bySession(session);
      if (member && membership.eligibility.isEligible(member)) continue;
      for (const entry of this.to(session)) this.#forget(entry, session);
    }
    this.#lapsed.clear();
  }

  #tell(entry: TaskEntry, session: SessionId): void {
    if (!this.#bySession.has(session)) this.#bySession.set(session, new Set());
    this.#bySession.get(session)!.add(entry);
    this.#board.announce(entry, session);
  }

  #forget(entry: TaskEntry, session: SessionId): void {
    const told = this.#bySession.get(session)!;
    told.delete(entry);
    if (told.size === 0) this.#bySession.delete(session);
    this.#board.announce(entry, undefined);
  }
}
