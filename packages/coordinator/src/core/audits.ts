/**
 * Audits: a share of the tasks is computed a second time by another worker and compared by hash (docs/design.md §7). As a task
 * computed twice gives the same bytes on the same backend, two results that differ prove that a worker computes wrong
 * numbers without knowing it.
 *
 * An audit has one bound in all (`TaskTimes.auditMs`), from the first result on, whoever comes and goes meanwhile: then it
 * is closed with the results that are there. Workers on trial are not asked.
 *
 * The rules, in the order in which they are tried:
 *
 * 1. Two different workers agree: theirs is the result, and whoever said otherwise is wrong.
 * 2. Somebody else on the same backend can compute it: so be it; any number of opinions until rule 1 decides.
 * 3. Nobody else is connected and nobody disagrees: the audit is skipped. A cluster of one worker does not wait; but
 *    where there was company within the patience for a silent worker, or the coordinator has just started, it may come
 *    (back), and is waited for.
 * 4. Workers contradict each other and nobody is left to ask: each still connected computes the task once more. One
 *    that contradicts itself is wrong, and the steady other is right. If all contradict themselves, all are wrong and
 *    the task begins anew.
 * 5. Each stands by its result: wait for a third worker as long as for a silent one (`cluster.patience`). Then the
 *    result with most votes counts, the earliest among equals, and the event says so. Training never hangs on an audit.
 *
 * When the bound is over, rule 3 skips the audit and rule 5 decides it with the results that are there.
 */

import { Draws } from "@mzsr/mzsr";
import type { BackendName } from "@mzsr/shared";
import type { Eligibility } from "./eligibility.js";
import type { AuditResult } from "./events.js";
import { backendOf, soughtWorkers, type TaskEntry, type Vote } from "./leases.js";
import type { Member, Membership } from "./membership.js";

/** First word of the random streams that choose what is audited ("AUDT"); drawing tasks uses other words. */
const AUDIT_STREAM = 0x41554454;

/** Whether a task is audited: a function of (seed, step, index), but nothing in θ depends on it. */
export function isAudited(seed: number, step: number, index: number, share: number): boolean {
  return share > 0 && new Draws(seed, [AUDIT_STREAM, step, index]).uniform(0, 1) < share;
}

export interface AuditWorker {
  readonly worker: string;
  readonly backend: BackendName;
}

export interface AuditCase {
  /** The backend on which the task has been or is being computed. */
  readonly backend: BackendName | undefined;
  /** In order of arrival. */
  readonly votes: readonly Vote[];
  /** Workers that are computing the task now. */
  readonly leaseholders: readonly string[];
  /** Workers that may be given tasks, busy or not; one on the task's backend stands for all who have not computed it. */
  readonly workers: readonly AuditWorker[];
  /** Rule 3: nobody else has been there for a while. */
  readonly alone: boolean;
  /** Rule 5: the wait for a third worker is over. */
  readonly waitedForThird: boolean;
  /** The audit has taken as long as it may. */
  readonly overdue: boolean;
}

export type AuditMove =
  /** One of these shall compute it, when it has a free slot; `again` marks those who have before. */
  | { readonly move: "compute"; readonly by: readonly string[]; readonly kind: "audit" | "again" }
  | { readonly move: "wait"; readonly forThird: boolean }
  | {
      readonly move: "settle";
      readonly vote: Vote;
      readonly result: AuditResult;
      readonly wrong: readonly string[];
    }
  /** Nobody can be believed. */
  | { readonly move: "restart"; readonly wrong: readonly string[] };

export interface AuditPresence extends Pick<Membership, "byName"> {
  readonly eligibility: Pick<Eligibility, "isEligible" | "on">;
}

/**
 * The case of a task as the board has it.
 *
 * @param begunBy who shall be computing the task besides
 */
export function auditCase(
  entry: TaskEntry,
  presence: AuditPresence,
  waits: Pick<AuditCase, "alone" | "waitedForThird" | "overdue">,
  begunBy?: Member,
): AuditCase {
  const leaseholders = [...entry.leases].map(({ worker }) => worker);
  if (begunBy) leaseholders.push(begunBy.worker);
  const backend = backendOf(entry) ?? begunBy?.hello.backend;
  const involved = unique([...entry.votes.map(({ worker }) => worker), ...leaseholders]);
  return { backend, votes: entry.votes, leaseholders, workers: workersFor(backend, involved, presence), ...waits };
}

/** Those involved that may be given tasks, and somebody else on the backend. */
function workersFor(
  backend: BackendName | undefined,
  involved: readonly string[],
  presence: AuditPresence,
): AuditWorker[] {
  const { eligibility } = presence;
  const present = involved.flatMap((name) => {
    const member = presence.byName(name);
    return member && eligibility.isEligible(member) ? [member] : [];
  });
  const other = backend && first(eligibility.on(backend), ({ worker }) => !involved.includes(worker));
  const members = other ? [...present, other] : present;
  return members.map(({ worker, hello }) => ({ worker, backend: hello.backend }));
}

function first<T>(items: Iterable<T>, matches: (item: T) => boolean): T | undefined {
  for (const item of items) if (matches(item)) return item;
  return undefined;
}

/** What to do next about an audited task that has at least one vote or lease. */
export function nextAuditMove(audit: AuditCase): AuditMove {
  const agreed = agreement(audit.votes);
  if (agreed) return agreed;
  if (audit.overdue && audit.votes.length > 0) return close(audit.votes);
  const sought = soughtWorkers(audit.votes);
  if (audit.leaseholders.length >= sought) return { move: "wait", forThird: false };
  const others = uninvolved(audit);
  if (others.length > 0) return { move: "compute", by: others, kind: "audit" };
  if (audit.leaseholders.length > 0) return { move: "wait", forThird: false };
  if (unanimous(audit.votes)) return audit.alone ? close(audit.votes) : { move: "wait", forThird: false };
  return settleDissent(audit);
}

/** Rule 1. */
function agreement(votes: readonly Vote[]): AuditMove | undefined {
  const vote = votes.find((a) => votes.some((b) => a.hash === b.hash && a.worker !== b.worker));
  if (!vote) return undefined;
  const wrong = unique(votes.filter(({ hash }) => hash !== vote.hash).map(({ worker }) => worker));
  return { move: "settle", vote, result: wrong.length === 0 ? "match" : "mismatch", wrong };
}

/** Workers on the task's backend that have neither computed the task nor are computing it. */
function uninvolved({ backend, votes, leaseholders, workers }: AuditCase): string[] {
  const involved = new Set([...votes.map(({ worker }) => worker), ...leaseholders]);
  return workers.filter((each) => each.backend === backend && !involved.has(each.worker)).map(({ worker }) => worker);
}

/** Rules 4 and 5. */
function settleDissent({ votes, workers, waitedForThird }: AuditCase): AuditMove {
  const votesOf = (name: string) => votes.filter(({ worker }) => worker === name);
  const once = workers.filter(({ worker }) => votesOf(worker).length === 1).map(({ worker }) => worker);
  if (once.length > 0) return { move: "compute", by: once, kind: "again" };
  const closed = close(votes);
  const undecided = closed.move === "settle" && closed.result === "undecided";
  return undecided && !waitedForThird ? { move: "wait", forThird: true } : closed;
}

/** What the results that are there say, when no further one is waited for. */
function close(votes: readonly Vote[]): AuditMove {
  if (unanimous(votes)) return { move: "settle", vote: votes[0]!, result: "skipped", wrong: [] };
  const voters = unique(votes.map(({ worker }) => worker));
  const hashesOf = (name: string) => new Set(votes.filter(({ worker }) => worker === name).map(({ hash }) => hash));
  const wrong = voters.filter((name) => hashesOf(name).size > 1);
  if (wrong.length === voters.length) return { move: "restart", wrong };
  const credible = votes.filter(({ worker }) => !wrong.includes(worker));
  const result = unanimous(credible) ? "mismatch" : "undecided";
  return { move: "settle", vote: mostVoted(credible), result, wrong };
}

function unanimous(votes: readonly Vote[]): boolean {
  return votes.every(({ hash }) => hash === votes[0]!.hash);
}

function mostVoted(votes: readonly Vote[]): Vote {
  const count = (vote: Vote) => votes.filter(({ hash }) => hash === vote.hash).length;
  return votes.reduce((best, vote) => (count(vote) > count(best) ? vote : best));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
