import type { RunEvent } from "@mzsr/shared";
import type { AuditResult, CoordinatorEffect, SessionId, TaskEnd } from "./events.js";
import type { GrantedLease, TaskBoard, TaskEntry, Vote } from "./leases.js";
import type { Member, Membership } from "./membership.js";
import type { Progress } from "./progress.js";
import type { StageTimes } from "./task-times.js";

/** What arrived with the end of a lease. */
interface TaskEndDetail {
  readonly seconds?: number;
  readonly bytes?: number;
  readonly code?: string;
}

/**
 * Carries decisions out on the board and the membership, and writes down what follows from them for the world: every
 * lease that ends is counted, every cancelled one is told its worker, every loss has a reason.
 */
export class Transitions {
  readonly #board: TaskBoard;
  readonly #membership: Membership;
  readonly #progress: Progress;
  readonly #times: StageTimes;
  #effects: CoordinatorEffect[] = [];

  constructor(board: TaskBoard, membership: Membership, progress: Progress, times: StageTimes) {
    this.#board = board;
    this.#membership = membership;
    this.#progress = progress;
    this.#times = times;
  }

  /** What has been written since the last call. */
  takeEffects(): CoordinatorEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  effect(effect: CoordinatorEffect): void {
    this.#effects.push(effect);
  }

  record(event: RunEvent): void {
    this.effect({ type: "event", event });
  }

  countTask(worker: string, outcome: TaskEnd, detail: TaskEndDetail = {}): void {
    this.#progress.countTask(outcome);
    const { seconds = 0, bytes = 0, code } = detail;
    this.effect({ type: "taskEnded", worker, outcome, seconds, bytes, ...(code !== undefined && { code }) });
  }

  countAudit({ task }: TaskEntry, result: AuditResult): void {
    this.#progress.countAudit(result);
    this.effect({ type: "audit", result, step: task.step, index: task.index });
  }

  endLease(lease: GrantedLease, end: TaskEnd, now: number, detail: TaskEndDetail = {}): void {
    this.#board.end(lease);
    this.countTask(lease.worker, end, { ...detail, seconds: (now - lease.grantedMs) / 1000 });
  }

  /** A lease ended without a result: its task is free again. */
  release(lease: GrantedLease, end: "lost" | "failed", reason: string, now: number): void {
    this.endLease(lease, end, now);
    const { step, index } = lease.entry.task;
    this.record({ kind: "release", worker: lease.worker, step, index, reason });
  }

  releaseAll(session: SessionId, reason: string, now: number): void {
    for (const lease of [...this.#board.leasesOf(session)]) this.release(lease, "lost", reason, now);
  }

  /** The task's result is known; whoever else computes it may stop, and was overtaken if its lease had become slow. */
  settle(entry: TaskEntry, vote: Vote, now: number): void {
    this.#board.settle(entry, vote);
    const { slowMs } = this.#times[entry.task.stage];
    for (const lease of [...entry.leases]) {
      this.effect({ type: "cancel", session: lease.session, leases: [lease.id] });
      this.endLease(lease, "repeated", now);
      if (now - lease.grantedMs >= slowMs) this.unanswered(lease, "others were quicker", now);
    }
  }

  /** The lease was overtaken or ran out of time: too many of them in a row put its worker on trial. */
  unanswered({ session }: GrantedLease, because: string, now: number): void {
    const member = this.#membership.bySession(session);
    if (!member || !this.#membership.unanswered(member, now)) return;
    const { unanswered } = member.recentOutcomes;
    const reason = `begins: ${unanswered} tasks in a row without a result, at last as ${because}; it is given copies only`;
    this.record({ kind: "trial", worker: member.worker, reason });
  }

  /** The member's result was admitted. */
  answered(member: Member, now: number): void {
    if (this.#membership.answered(member, now)) this.#tellTrialOver(member, "it has answered");
  }

  /** Somebody else has the same result as this incarnation. */
  confirmed(worker: string, incarnation: string, now: number): void {
    const member = this.#membership.byName(worker);
    if (member?.hello.incarnation !== incarnation) return;
    if (this.#membership.confirmed(member, now)) this.#tellTrialOver(member, "its result was confirmed");
  }

  #tellTrialOver({ worker }: Member, because: string): void {
    this.record({ kind: "trial", worker, reason: `is over: ${because}` });
  }

  /** What was added up for the task had to be taken out. */
  reopen(entry: TaskEntry): void {
    const { votes } = entry;
    const workers = votes.map(({ worker }) => worker);
    this.#board.reopen(entry);
    for (const worker of workers) this.countTask(worker, "dropped");
  }

  /** The worker's results for this unsettled task do not count any more. */
  dropVotes(entry: TaskEntry, worker: string): void {
    for (let left = this.#board.dropVotes(entry, worker); left > 0; left--) this.countTask(worker, "dropped");
  }

  /** The worker is gone without having said so. */
  loseWorker(member: Member, reason: string, now: number): void {
    this.#membership.leave(member, "lost", reason, now);
    this.#progress.countLostWorker();
    this.record({ kind: "lost", worker: member.worker, reason });
  }

  /** Shuts the worker out for a while and closes its stream. */
  quarantine(member: Member, because: string, now: number): void {
    const { session } = member;
    if (session !== undefined) this.releaseAll(session, "its worker was put into quarantine", now);
    const duration = this.#membership.quarantine(member, because, now);
    const reason = `for ${duration} s: ${because}`;
    this.#progress.countQuarantine();
    this.record({ kind: "quarantine", worker: member.worker, reason });
    if (session !== undefined) this.effect({ type: "disconnect", session, reason: `quarantined ${reason}` });
  }
}
