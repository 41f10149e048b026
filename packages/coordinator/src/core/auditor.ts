import { auditCase, nextAuditMove } from "./audits.js";
import type { GradientSums } from "./gradient-sums.js";
import type { TaskBoard, TaskEntry, Vote } from "./leases.js";
import type { Membership } from "./membership.js";
import { byOrder } from "./moments.js";
import { OrderedSet } from "./ordered-set.js";
import { PeerPresence } from "./peer-presence.js";
import type { StageTimes } from "./task-times.js";
import type { Transitions } from "./transitions.js";

export interface AuditorParts {
  readonly board: TaskBoard;
  readonly membership: Membership;
  readonly transitions: Transitions;
  readonly times: StageTimes;
  readonly sums: GradientSums;
  readonly patienceMs: number;
}

/**
 * Applies the rules of audits.ts to the open tasks: settles them, and condemns workers that were wrong. It looks at a task
 * when something has changed for it: its leases or results, the workers that could compute it, or a wait that is over.
 */
export class Auditor {
  readonly #board: TaskBoard;
  readonly #membership: Membership;
  readonly #transitions: Transitions;
  readonly #times: StageTimes;
  readonly #sums: GradientSums;
  readonly #patienceMs: number;
  readonly #peers: PeerPresence;
  /** Tasks that wait for somebody to come or for time to pass. */
  readonly #waiting = new OrderedSet<TaskEntry>(byOrder);
  #eligibilitySeen = -1;

  constructor({ board, membership, transitions, times, sums, patienceMs }: AuditorParts) {
    this.#board = board;
    this.#membership = membership;
    this.#transitions = transitions;
    this.#times = times;
    this.#sums = sums;
    this.#patienceMs = patienceMs;
    this.#peers = new PeerPresence(patienceMs);
  }

  /** Remembers of which backends several workers are there. */
  notePeers(now: number): void {
    const { eligibility } = this.#membership;
    this.#peers.begin(now);
    for (const backend of eligibility.backends) if (eligibility.on(backend).size > 1) this.#peers.note(backend, now);
  }

  /** Settles every audited task that can be settled now. */
  judge(now: number): void {
    this.notePeers(now);
    const { changedAudits } = this.#board.tasks;
    for (const entry of this.#board.tasks.overdueAudits(now)) changedAudits.add(entry);
    for (const entry of this.#waiting) if (isVoted(entry)) changedAudits.add(entry);
    // What one audit finds out can change the others, in which case those before it are looked at again.
    let last = -1;
    for (;;) {
      this.#noteEligibility();
      const entry = changedAudits.firstFrom(({ order }) => order <= last) ?? changedAudits.first;
      if (!entry) return;
      last = entry.order;
      changedAudits.delete(entry);
      this.#judgeEntry(entry, now);
    }
  }

  /** The first moment after `nowMs` at which time alone will settle something; infinite when there is none. */
  nextMs(nowMs: number): number {
    const { tasks } = this.#board;
    const dissentMs = tasks.dissent.next((ms) => ms + this.#patienceMs <= nowMs);
    let next = Math.min(tasks.nextOverdueMs(nowMs), (dissentMs ?? Number.POSITIVE_INFINITY) + this.#patienceMs);
    for (const backend of tasks.votedBackends) {
      const aloneMs = this.#peers.aloneFromMs(backend);
      if (aloneMs > nowMs) next = Math.min(next, aloneMs);
    }
    return next;
  }

  /** The coordinator was away for `ms`. */
  discountPause(ms: number): void {
    this.#peers.discountPause(ms);
  }

  /** Who may compute a task has changed: every audit may go on otherwise. */
  #noteEligibility(): void {
    const { version } = this.#membership.eligibility;
    if (version === this.#eligibilitySeen) return;
    this.#eligibilitySeen = version;
    for (const entry of this.#board.tasks.voted) this.#board.tasks.changedAudits.add(entry);
  }

  #judgeEntry(entry: TaskEntry, now: number): void {
    const auditMs = entry.auditMs ?? now;
    const alone = now >= this.#peers.aloneFromMs(entry.votes[0]!.backend);
    const waitedForThird = entry.dissentMs !== undefined && now - entry.dissentMs >= this.#patienceMs;
    const overdue = now - auditMs >= this.#times[entry.task.stage].auditMs;
    const decision = nextAuditMove(auditCase(entry, this.#membership, { alone, waitedForThird, overdue }));
    const forThird = decision.move === "wait" && decision.forThird;
    this.#board.waits(entry, { auditMs, dissentMs: forThird ? (entry.dissentMs ?? now) : undefined });
    this.#waiting.toggle(entry, decision.move === "wait" && entry.leases.size === 0);
    if (decision.move === "wait" || decision.move === "compute") return;
    // Of one name's processes the one that was wrong is condemned; its votes name it, so look before they are dropped.
    const right = decision.move === "settle" ? decision.vote.hash : undefined;
    const wrong = decision.wrong.map(
      (name) => entry.votes.findLast(({ worker, hash }) => worker === name && hash !== right)!,
    );
    if (decision.move === "settle") {
      this.#count(entry, decision.vote, decision.result !== "skipped");
      this.#transitions.settle(entry, decision.vote, now);
      this.#transitions.countAudit(entry, decision.result);
      this.#record(entry, decision.result, decision.vote);
      if (overdue && decision.result === "skipped") this.#tellOverdue(entry, now);
      if (decision.result === "match" || decision.result === "mismatch") this.#confirm(entry, decision.vote, now);
    } else {
      for (const worker of decision.wrong) this.#transitions.dropVotes(entry, worker);
    }
    for (const vote of wrong) this.#condemn(vote, entry, now);
  }

  /** The vote was validated when it came. */
  #count(entry: TaskEntry, { worker, gradient }: Vote, confirmed: boolean): void {
    this.#board.confirm(entry, confirmed);
    if (confirmed) this.#sums.addConfirmed(entry, gradient!);
    else this.#sums.add(entry, worker, gradient!);
  }

  /** Those who computed the result that counts have somebody who agrees with them. */
  #confirm({ votes }: TaskEntry, right: Vote, now: number): void {
    const agreeing = votes.filter(({ hash }) => hash === right.hash);
    if (new Set(agreeing.map(({ worker }) => worker)).size < 2) return;
    for (const { worker, incarnation } of agreeing) this.#transitions.confirmed(worker, incarnation, now);
  }

  #tellOverdue({ task: { step, index }, auditMs, votes }: TaskEntry, now: number): void {
    const waited = ((now - auditMs!) / 1000).toFixed(0);
    const reason = `skipped: in ${waited} s nobody else computed what ${votes[0]!.worker} had`;
    this.#transitions.record({ kind: "audit", step, index, reason });
  }

  #record(entry: TaskEntry, result: string, vote: Vote): void {
    if (result !== "mismatch" && result !== "undecided") return;
    const { step, index } = entry.task;
    const opinions = entry.votes.map(({ worker, hash }) => `${worker} ${hash.slice(0, 12)}`).join(", ");
    const verdict = result === "mismatch" ? `${vote.worker} is right` : `undecided, ${vote.worker}'s is kept`;
    this.#transitions.record({ kind: "audit", step, index, reason: `results differ (${opinions}); ${verdict}` });
  }

  /**
   * A worker computes wrong numbers: what it gave to the open steps, and nobody confirmed, is computed again, with what it
   * was added up with. A process that has taken its name since is judged by its own results.
   */
  #condemn({ worker, incarnation }: Vote, proof: TaskEntry, now: number): void {
    for (const entry of this.#sums.takeOut(worker)) this.#transitions.reopen(entry);
    for (const { entries } of this.#board.steps) {
      for (const entry of entries) if (entry.settled === undefined) this.#transitions.dropVotes(entry, worker);
    }
    const member = this.#membership.byName(worker);
    if (member?.hello.incarnation !== incarnation) return;
    const { step, index } = proof.task;
    this.#transitions.quarantine(member, `an audit found its result of step ${step} task ${index} wrong`, now);
  }
}

function isVoted({ settled, votes }: TaskEntry): boolean {
  return settled === undefined && votes.length > 0;
}
