import { auditCase, nextAuditMove } from "./audits.js";
import type { TaskBoard, TaskEntry, Vote } from "./leases.js";
import type { Membership } from "./membership.js";
import { PeerPresence } from "./peer-presence.js";
import type { TaskTimes } from "./task-times.js";
import type { Transitions } from "./transitions.js";

export interface AuditOfficeParts {
  readonly board: TaskBoard;
  readonly membership: Membership;
  readonly transitions: Transitions;
  readonly timesOf: (entry: TaskEntry) => TaskTimes;
  readonly patienceMs: number;
}

/** Applies the rules of audits.ts to the open tasks: settles them, and condemns workers that were wrong. */
export class Auditor {
  readonly #board: TaskBoard;
  readonly #membership: Membership;
  readonly #transitions: Transitions;
  readonly #timesOf: (entry: TaskEntry) => TaskTimes;
  readonly #patienceMs: number;
  readonly #peers: PeerPresence;

  constructor({ board, membership, transitions, timesOf, patienceMs }: AuditOfficeParts) {
    this.#board = board;
    this.#membership = membership;
    this.#transitions = transitions;
    this.#timesOf = timesOf;
    this.#patienceMs = patienceMs;
    this.#peers = new PeerPresence(patienceMs);
  }

  /** Settles every audited task that can be settled now. */
  judge(now: number): void {
    const backends = this.#membership.eligible.map(({ hello }) => hello.backend);
    this.#peers.note(backends, now);
    // What one audit finds out can change the others.
    for (let moved = true; moved; ) {
      moved = false;
      for (const entry of this.#board.unsettled()) {
        if (entry.audited && entry.votes.length > 0 && this.#judgeEntry(entry, now)) moved = true;
      }
    }
  }

  /** When time alone will settle something, in ms. */
  *moments(): Generator<number> {
    for (const entry of this.#board.unsettled()) {
      const { votes, dissentMs, auditMs } = entry;
      if (votes[0]) yield this.#peers.aloneFromMs(votes[0].backend);
      if (auditMs !== undefined) yield auditMs + this.#timesOf(entry).auditMs;
      if (dissentMs !== undefined) yield dissentMs + this.#patienceMs;
    }
  }

  /** The coordinator was away for `ms`. */
  discountPause(ms: number): void {
    this.#peers.discountPause(ms);
  }

  /** True when something was decided. */
  #judgeEntry(entry: TaskEntry, now: number): boolean {
    entry.auditMs ??= now;
    const alone = now >= this.#peers.aloneFromMs(entry.votes[0]!.backend);
    const waitedForThird = entry.dissentMs !== undefined && now - entry.dissentMs >= this.#patienceMs;
    const overdue = now - entry.auditMs >= this.#timesOf(entry).auditMs;
    const decision = nextAuditMove(auditCase(entry, this.#membership.eligible, { alone, waitedForThird, overdue }));
    if (decision.move === "wait" && decision.forThird) entry.dissentMs ??= now;
    else entry.dissentMs = undefined;
    if (decision.move === "wait" || decision.move === "compute") return false;
    // Of one name's processes the one that was wrong is condemned; its votes name it, so look before they are dropped.
    const right = decision.move === "settle" ? decision.vote.hash : undefined;
    const wrong = decision.wrong.map(
      (name) => entry.votes.findLast(({ worker, hash }) => worker === name && hash !== right)!,
    );
    if (decision.move === "settle") {
      entry.confirmed = decision.result !== "skipped";
      this.#transitions.settle(entry, decision.vote, now);
      this.#transitions.countAudit(entry, decision.result);
      this.#record(entry, decision.result, decision.vote);
      if (overdue && decision.result === "skipped") this.#tellOverdue(entry, now);
      if (decision.result === "match" || decision.result === "mismatch") this.#confirm(entry, decision.vote, now);
    } else {
      for (const worker of decision.wrong) this.#transitions.dropVotes(entry, worker);
    }
    for (const vote of wrong) this.#condemn(vote, entry, now);
    return true;
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
   * A worker computes wrong numbers: what it gave to the open steps, and nobody confirmed, is computed again. A process that
   * has taken its name since is judged by its own results.
   */
  #condemn({ worker, incarnation }: Vote, proof: TaskEntry, now: number): void {
    for (const { entries } of this.#board.steps) {
      for (const entry of entries) if (!entry.confirmed) this.#transitions.dropVotes(entry, worker);
    }
    const member = this.#membership.byName(worker);
    if (member?.hello.incarnation !== incarnation) return;
    const { step, index } = proof.task;
    this.#transitions.quarantine(member, `an audit found its result of step ${step} task ${index} wrong`, now);
  }
}
