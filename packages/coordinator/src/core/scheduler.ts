import type { Task } from "@mzsr/shared";
import { Announcements } from "./announcements.js";
import { dispatch, type Grant, mayHelp } from "./dispatch.js";
import type { GrantedLease, OpenStep, TaskBoard } from "./leases.js";
import type { Member, Membership } from "./membership.js";
import type { StageTimes } from "./task-times.js";
import { WorkerSlots } from "./worker-slots.js";

export interface SchedulerParts {
  readonly board: TaskBoard;
  readonly membership: Membership;
  readonly times: StageTimes;
}

/** Decides what is given to whom and told to whom, and when leases are over. Keeps nothing but indexes. */
export class Scheduler {
  readonly #board: TaskBoard;
  readonly #membership: Membership;
  readonly #times: StageTimes;
  readonly #announcements: Announcements;
  readonly #slots: WorkerSlots;

  constructor({ board, membership, times }: SchedulerParts) {
    this.#board = board;
    this.#membership = membership;
    this.#times = times;
    this.#announcements = new Announcements(board);
    this.#slots = new WorkerSlots({ board, membership, announcements: this.#announcements });
  }

  /** Which task goes to whom now. */
  dispatch(nowMs: number): readonly Grant[] {
    this.#slots.refresh();
    return dispatch({
      steps: this.#board.steps,
      slots: this.#slots,
      membership: this.#membership,
      announcedTo: (session) => this.#announcements.to(session),
      slow: this.#board.tasks.slow(nowMs),
      idleOnTrial: this.#slots.idleOnTrial,
    });
  }

  /** A grant is carried out: nobody gets ready for its task any more. */
  granted({ entry }: Grant): void {
    const session = this.#announcements.leased(entry);
    const member = session === undefined ? undefined : this.#membership.bySession(session);
    if (member) this.#slots.update(member);
  }

  /** Who is told now of which tasks that come next. @param ahead draws the step after the open ones */
  announce(ahead: () => OpenStep | undefined): ReadonlyMap<Member, readonly Task[]> {
    this.#slots.refresh();
    return this.#announcements.next(this.#board.steps, ahead, this.#slots, this.#membership);
  }

  /** Leases that have reached their deadline, in the order in which they were granted. */
  overdue(nowMs: number): readonly GrantedLease[] {
    this.#slots.refresh();
    return this.#board.moments.overdue(nowMs);
  }

  /** Is the lease over at its age? Where nobody else could take its task, there is nothing to be gained from ending it soon. */
  isOver(lease: GrantedLease, nowMs: number): boolean {
    const ageMs = nowMs - lease.grantedMs;
    if (ageMs < this.#board.moments.deadlineMs(lease)) return false;
    const { task, expirations } = lease.entry;
    return ageMs >= this.#times[task.stage].aloneDeadlineMs(expirations) || !this.#isAlone(lease);
  }

  /** The first moment after `nowMs` at which a lease is over, or slow while a slot is free; infinite when there is none. */
  nextMs(nowMs: number): number {
    this.#slots.refresh();
    const { moments } = this.#board;
    const deadlineMs = moments.nextDeadlineMs(nowMs);
    return this.#slots.anyFree ? Math.min(deadlineMs, moments.nextSlowMs(nowMs)) : deadlineMs;
  }

  /** Nobody else could take the lease's task. */
  #isAlone({ entry, kind, session }: GrantedLease): boolean {
    if (kind === "trial") return false;
    return !this.#membership.eligibility.some((member) => member.session !== session && mayHelp(entry, member));
  }
}
