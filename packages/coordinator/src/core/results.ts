import {
  type Configuration,
  type GroupResult,
  type SumRejection,
  sha256Of,
  type TaskReport,
  type TaskResult,
} from "@mzsr/shared";
import { type ResultRejection, validateReport } from "./admission.js";
import type { SessionId } from "./events.js";
import type { GradientSums } from "./gradient-sums.js";
import { isHopeless } from "./hopeless.js";
import type { GrantedLease, TaskBoard, TaskEntry, Vote } from "./leases.js";
import type { Member, Membership } from "./membership.js";
import type { Progress } from "./progress.js";
import type { RunSchedule } from "./schedule.js";
import type { StageTimes } from "./task-times.js";
import type { Transitions } from "./transitions.js";

export interface ResultsParts {
  readonly configuration: Configuration;
  readonly schedule: RunSchedule;
  readonly board: TaskBoard;
  readonly membership: Membership;
  readonly transitions: Transitions;
  readonly times: StageTimes;
  readonly sums: GradientSums;
  readonly progress: Progress;
}

/** Takes in what workers send for their leases: what may count is added up, what may not is held against them. */
export class Results {
  readonly #parts: ResultsParts;
  #failure: string | undefined;

  constructor(parts: ResultsParts) {
    this.#parts = parts;
  }

  /** Why the run can never end well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  result(session: SessionId, result: TaskResult, now: number): void {
    const { membership, transitions, schedule, sums } = this.#parts;
    const member = membership.bySession(session);
    const lease = this.#currentLease(session, result.lease);
    const bytes = result.gradient.byteLength;
    if (!member || !lease) {
      transitions.countTask(member?.worker ?? "unknown", "late", { bytes });
      return;
    }
    const { entry } = lease;
    const { task } = entry;
    const compared = isCompared(lease, member);
    const rejection =
      validateReport(result.report, task, schedule.lossCounts(task.step)) ??
      (compared ? sums.validate(result.gradient) : sums.add(entry, member.worker, result.gradient));
    if (rejection) {
      this.#refuse(member, [lease], bytes, rejection, now);
      return;
    }
    transitions.answered(member, now);
    if (entry.settled !== undefined) {
      this.#compareCopy(member, lease, result.gradient, now);
      return;
    }
    this.#accept(member, lease, bytes, now);
    const hash = compared || entry.copies > 0 ? sha256Of(result.gradient) : "";
    const vote = voteOf(member, lease, result.report, hash);
    // A copy (slice of a Buffer is none): the memory that it came in is used for the next message.
    if (compared) this.#awaitAudit(entry, { ...vote, gradient: new Uint8Array(result.gradient) });
    else transitions.settle(entry, vote, now);
  }

  /** All of it counts, or nothing. */
  group(session: SessionId, { tasks, sum }: GroupResult, now: number): void {
    const { membership, transitions, schedule, sums } = this.#parts;
    const member = membership.bySession(session);
    const leases = tasks.map(({ lease }) => this.#currentLease(session, lease));
    const bytes = (sum.high.byteLength + sum.low.byteLength) / tasks.length;
    const current = leases.filter((lease) => lease !== undefined);
    const late = leases.length - current.length;
    // A copy may have come meanwhile from a worker whose results do not count by themselves.
    const comparedSince = current.some(({ groupable, entry }) => groupable && entry.audited);
    if (!member || late > 0 || comparedSince) {
      this.#dropGroup(member, current, late, bytes, now);
      return;
    }
    const entries = current.map(({ entry }) => entry);
    const rejection =
      validateGroup(current) ??
      firstOf(tasks, ({ report }, i) => {
        const { task } = entries[i]!;
        return validateReport(report, task, schedule.lossCounts(task.step));
      }) ??
      sums.addGroup(entries, member.worker, sum);
    if (rejection) {
      this.#refuse(member, current, bytes, rejection, now);
      return;
    }
    transitions.answered(member, now);
    current.forEach((lease, i) => {
      const { report, sha256 } = tasks[i]!;
      this.#accept(member, lease, bytes, now);
      transitions.settle(lease.entry, voteOf(member, lease, report, sha256), now);
    });
  }

  /** The worker says that it could not compute a task. */
  failed(session: SessionId, id: string, reason: string, now: number): void {
    const { membership, transitions } = this.#parts;
    const member = membership.bySession(session);
    const lease = this.#currentLease(session, id);
    if (!member || !lease) return;
    const leaving = member.state === "draining";
    transitions.release(lease, leaving ? "lost" : "failed", reason, now);
    if (!leaving) this.#blame(member, [lease.entry], reason, now);
  }

  #accept(member: Member, lease: GrantedLease, bytes: number, now: number): void {
    const { times, membership, transitions } = this.#parts;
    const { entry, grantedMs } = lease;
    times[entry.task.stage].observe(now - grantedMs);
    membership.taskDone(member, (now - grantedMs) / 1000);
    transitions.endLease(lease, entry.votes.length === 0 ? "accepted" : "audited", now, { bytes });
  }

  #awaitAudit(entry: TaskEntry, vote: Vote): void {
    const { board } = this.#parts;
    if (!entry.audited) board.audit(entry);
    board.vote(entry, vote);
  }

  /** A worker on trial has computed a task whose result is known by now. */
  #compareCopy({ worker, hello }: Member, lease: GrantedLease, gradient: Uint8Array, now: number): void {
    const { transitions } = this.#parts;
    const { backend, hash } = lease.entry.settled!;
    transitions.endLease(lease, "repeated", now, { bytes: gradient.byteLength });
    if (backend === lease.backend && sha256Of(gradient) === hash) transitions.confirmed(worker, hello.incarnation, now);
  }

  /** Nobody waits for one of the group's tasks any more, and its gradient cannot be told from the others'. */
  #dropGroup(
    member: Member | undefined,
    leases: readonly GrantedLease[],
    late: number,
    bytes: number,
    now: number,
  ): void {
    const { transitions } = this.#parts;
    for (let i = 0; i < late; i++) transitions.countTask(member?.worker ?? "unknown", "late", { bytes });
    for (const lease of leases) {
      transitions.release(lease, "lost", "its result came added up with one that nobody waits for any more", now);
    }
  }

  #refuse(
    member: Member,
    leases: readonly GrantedLease[],
    bytes: number,
    { code, reason }: ResultRejection | SumRejection,
    now: number,
  ): void {
    const { transitions } = this.#parts;
    const because = `its result ${reason}`;
    for (const lease of leases) {
      const { step, index } = lease.entry.task;
      transitions.record({ kind: "refusal", worker: member.worker, step, index, reason: because });
      transitions.endLease(lease, "refused", now, { bytes, code });
    }
    this.#blame(
      member,
      leases.map(({ entry }) => entry),
      because,
      now,
    );
  }

  /** A worker failed at tasks. Sometimes the worker is at fault, and sometimes a task. */
  #blame(member: Member, entries: readonly TaskEntry[], reason: string, now: number): void {
    const { board, membership, transitions } = this.#parts;
    for (const entry of entries) {
      board.failed(entry, member.worker, now);
      if (entry.settled !== undefined || entry.votes.length > 0 || !this.#isHopeless(entry, now)) continue;
      const { step, index } = entry.task;
      const workers = new Set(entry.failures).size;
      const times = `${entry.failures.length} times on ${workers} ${workers === 1 ? "worker" : "workers"}`;
      this.#failure = `task ${index} of step ${step + 1} failed ${times}, at last on ${member.worker}: ${reason}`;
    }
    if (membership.taskFailed(member)) transitions.quarantine(member, reason, now);
  }

  #isHopeless({ failures, failedMs }: TaskEntry, now: number): boolean {
    const { membership, progress, configuration } = this.#parts;
    const credible = new Set(failures.filter((name) => (membership.byName(name)?.tasksDone ?? 0) > 0));
    return isHopeless({
      failures,
      credible,
      untried: membership.eligibility.some(({ worker }) => !failures.includes(worker)),
      anyAccepted: progress.counters.tasksAccepted! > 0,
      patiences: (now - failedMs!) / (1000 * configuration.cluster.patience),
    });
  }

  #currentLease(session: SessionId, id: string): GrantedLease | undefined {
    const lease = this.#parts.board.find(id);
    return lease?.session === session ? lease : undefined;
  }
}

/** Whether the result is compared with another worker's, before or after it counts. */
function isCompared({ entry, kind }: GrantedLease, { recentOutcomes }: Member): boolean {
  if (entry.audited || entry.settled !== undefined) return true;
  // Nothing of a quarantined worker's successor counts until somebody confirms it.
  return kind === "trial" && recentOutcomes.trial === "successor";
}

function validateGroup(leases: readonly GrantedLease[]): ResultRejection | undefined {
  const { step } = leases[0]!.entry.task;
  const other = leases.find(({ entry }) => entry.task.step !== step);
  if (other) return { code: "task", reason: `is the sum of tasks of the steps ${step} and ${other.entry.task.step}` };
  const single = leases.find(({ groupable }) => !groupable);
  if (!single) return undefined;
  return { code: "task", reason: `is a sum with task ${single.entry.task.index}, which is wanted by itself` };
}

function voteOf({ worker, hello }: Member, { backend }: GrantedLease, report: TaskReport, hash: string): Vote {
  return { worker, incarnation: hello.incarnation, backend, report, hash };
}

/** What `of` gives for the first item for which it gives anything. */
function firstOf<T, R>(items: readonly T[], of: (item: T, index: number) => R | undefined): R | undefined {
  for (const [i, item] of items.entries()) {
    const found = of(item, i);
    if (found !== undefined) return found;
  }
  return undefined;
}
