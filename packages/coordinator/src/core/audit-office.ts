import { auditCase, nextAuditMove } from "./audits.js";
import { Company } from "./company.js";
import type { TaskBoard, TaskEntry, Vote } from "./leases.js";
import type { Ledger } from "./ledger.js";
import type { Membership } from "./membership.js";

/** Applies the rules of audits.ts to the open tasks: settles them, and condemns workers that were wrong. */
export class AuditOffice {
  readonly #board: TaskBoard;
  readonly #membership: Membership;
  readonly #ledger: Ledger;
  readonly #patienceMs: number;
  readonly #company: Company;

  constructor(board: TaskBoard, membership: Membership, ledger: Ledger, patienceMs: number) {
    this.#board = board;
    this.#membership = membership;
    this.#ledger = ledger;
    this.#patienceMs = patienceMs;
    this.#company = new Company(patienceMs);
  }

  /** Settles every audited task that can be settled now. */
  judge(now: number): void {
    const backends = this.#membership.active.map(({ hello }) => hello.backend);
    this.#company.note(backends, now);
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
    for (const { votes, dissentMs } of this.#board.unsettled()) {
      if (votes[0]) yield this.#company.aloneFromMs(votes[0].backend);
      if (dissentMs !== undefined) yield dissentMs + this.#patienceMs;
    }
  }

  /** The coordinator was away for `ms`. */
  excuse(ms: number): void {
    this.#company.excuse(ms);
  }

  /** True when something was decided. */
  #judgeEntry(entry: TaskEntry, now: number): boolean {
    const alone = now >= this.#company.aloneFromMs(entry.votes[0]!.backend);
    const waitedForThird = entry.dissentMs !== undefined && now - entry.dissentMs >= this.#patienceMs;
    const decision = nextAuditMove(auditCase(entry, this.#membership.active, { alone, waitedForThird }));
    if (decision.move === "wait" && decision.forThird) entry.dissentMs ??= now;
    else entry.dissentMs = undefined;
    if (decision.move === "wait" || decision.move === "compute") return false;
    if (decision.move === "settle") {
      entry.confirmed = decision.result !== "skipped";
      this.#ledger.settle(entry, decision.vote, now);
      this.#ledger.countAudit(entry, decision.result);
      this.#tell(entry, decision.result, decision.vote);
    } else {
      for (const worker of decision.wrong) this.#ledger.dropVotes(entry, worker);
    }
    for (const worker of decision.wrong) this.#condemn(worker, entry, now);
    return true;
  }

  #tell(entry: TaskEntry, result: string, vote: Vote): void {
    if (result !== "mismatch" && result !== "undecided") return;
    const { step, index } = entry.task;
    const opinions = entry.votes.map(({ worker, hash }) => `${worker} ${hash.slice(0, 12)}`).join(", ");
    const verdict = result === "mismatch" ? `${vote.worker} is right` : `undecided, ${vote.worker}'s is kept`;
    this.#ledger.tell({ kind: "audit", step, index, reason: `results differ (${opinions}); ${verdict}` });
  }

  /** A worker computes wrong numbers: what it gave to the open steps, and nobody confirmed, is computed again. */
  #condemn(worker: string, proof: TaskEntry, now: number): void {
    for (const { entries } of this.#board.steps) {
      for (const entry of entries) if (!entry.confirmed) this.#ledger.dropVotes(entry, worker);
    }
    const member = this.#membership.byName(worker);
    const { step, index } = proof.task;
    if (member) this.#ledger.quarantine(member, `an audit found its result of step ${step} task ${index} wrong`, now);
  }
}
