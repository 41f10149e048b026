/** Which task goes to whom. */
import type { BackendName } from "@mzsr/shared";
import { auditCase, nextAuditMove } from "./audits.js";
import type { Eligibility } from "./eligibility.js";
import type { SessionId } from "./events.js";
import { type Choice, FreeSlots, type FreeSlotsView } from "./free-slots.js";
import { backendOf, type LeaseKind, type OpenStep, type TaskEntry } from "./leases.js";
import type { Member, Membership } from "./membership.js";
import { byOrder } from "./moments.js";
import { merged } from "./ordered-set.js";
import { isReliable } from "./worker-slots.js";

/** Why a worker is given a task. */
export type GrantReason =
  /** It was told of the task in advance. */
  | "announced"
  /** The task is the next one that nobody computes. */
  | "next"
  /** Its result is compared with another worker's. */
  | "audit"
  /** It contradicts another worker and computes the task once more. */
  | "again"
  /** All who compute the task take longer than usual. */
  | "slow"
  /** It is on trial: a copy of what others compute. */
  | "trial";

export const LEASE_KIND: Readonly<Record<GrantReason, LeaseKind>> = {
  announced: "first",
  next: "first",
  audit: "audit",
  again: "again",
  slow: "backup",
  trial: "trial",
};

export interface Grant {
  readonly entry: TaskEntry;
  readonly member: Member;
  readonly reason: GrantReason;
}

/** All that the decision depends on. */
export interface DispatchView {
  /** In ascending order. */
  readonly steps: readonly OpenStep[];
  readonly slots: FreeSlotsView;
  readonly membership: Pick<Membership, "byName" | "bySession"> & {
    readonly eligibility: Pick<Eligibility, "isEligible" | "on">;
  };
  /** Tasks that the session was told of. */
  readonly announcedTo: (session: SessionId) => Iterable<TaskEntry>;
  /** Unsettled tasks that take longer than usual, longest first. */
  readonly slow: Iterable<TaskEntry>;
  /** Workers that may be given copies of what others compute and have nothing else to do. */
  readonly idleOnTrial: Iterable<Member>;
}

/**
 * Fills the free slots: step by step the tasks of which a free worker was told in advance, the others that nobody
 * computes, and the second opinions for audits; and when nothing of that is left, the slowest leases a second time, so
 * that one slow worker does not hold up a step. Last come the copies for workers on trial.
 *
 * Changes nothing. The grants are to be carried out in order.
 */
export function dispatch(view: DispatchView): readonly Grant[] {
  const plan = new Plan(view);
  plan.giveTasks();
  plan.giveCopies();
  return plan.grants;
}

class Plan {
  readonly grants: Grant[] = [];
  readonly #view: DispatchView;
  readonly #slots: FreeSlots;
  /** Who is given a task that nobody computed, by task. */
  readonly #begun = new Map<TaskEntry, Member>();
  /** All tasks that somebody is given. */
  readonly #given = new Set<TaskEntry>();

  constructor(view: DispatchView) {
    this.#view = view;
    this.#slots = new FreeSlots(view.slots);
  }

  giveTasks(): void {
    if (this.#slots.none) return;
    for (const step of this.#view.steps) {
      this.#giveAnnounced(step);
      this.#givePending(step);
      if (this.#slots.none) return;
      this.#giveAudits(step);
      if (this.#slots.none) return;
    }
    this.#giveBackups();
  }

  /** One copy at a time: of the first task that others compute and that it may be given. */
  giveCopies(): void {
    const given = [...this.#given].filter(({ leases }) => leases.size === 0).sort(byOrder);
    for (const member of this.#view.idleOnTrial) {
      for (const entry of merged(leasedIn(this.#view.steps), given, byOrder)) {
        if (!mayHelp(entry, member, this.#backendOf(entry))) continue;
        this.#give(entry, member, "trial");
        break;
      }
    }
  }

  #giveAnnounced(step: OpenStep): void {
    for (const { entry, member } of this.#announcedToFree(step).sort((a, b) => byOrder(a.entry, b.entry))) {
      if (this.#slots.of(member) === 0 || hasFailed(entry, member)) continue;
      this.#begin(entry, this.#slots.takeOf(member), "announced");
    }
  }

  /** The announced tasks of the step whose workers have a free slot; found from the side where there is less to look at. */
  #announcedToFree({ step, announced }: OpenStep): { readonly entry: TaskEntry; readonly member: Member }[] {
    const { slots, membership, announcedTo } = this.#view;
    if (announced.size === 0) return [];
    if (announced.size < slots.freeWorkers) {
      return [...announced].flatMap((entry) => {
        const member = membership.bySession(entry.announcedTo!);
        return member && slots.freeSlotsOf(member) > 0 ? [{ entry, member }] : [];
      });
    }
    const free = [...slots.groups].flatMap(({ workers }) => [...workers]);
    return free.flatMap(({ member }) =>
      [...announcedTo(member.session!)].filter(({ task }) => task.step === step).map((entry) => ({ entry, member })),
    );
  }

  /** What nobody was told of comes before what another worker is getting ready for. */
  #givePending({ unannounced, announced }: OpenStep): void {
    for (const entries of [unannounced, announced]) {
      for (const entry of entries) {
        if (this.#slots.none) return;
        if (this.#begun.has(entry)) continue;
        const willing = (member: Member) => !hasFailed(entry, member);
        this.#begin(entry, this.#slots.take({ allows: willing }, { allows: () => true }), "next");
      }
    }
  }

  #giveAudits({ step, wanting }: OpenStep): void {
    if (wanting.size === 0 && this.#begun.size === 0) return;
    const begun = [...this.#begun.keys()].filter(({ task, audited }) => audited && task.step === step).sort(byOrder);
    for (const entry of merged(wanting, begun, byOrder)) {
      if (this.#slots.none) return;
      this.#giveAudit(entry);
    }
  }

  #giveAudit(entry: TaskEntry): void {
    const { membership } = this.#view;
    const begunBy = this.#begun.get(entry);
    const audit = auditCase(entry, membership, { alone: false, waitedForThird: false, overdue: false }, begunBy);
    const move = nextAuditMove(audit);
    if (move.move !== "compute") return;
    if (move.kind === "again") {
      const voters = move.by.map((name) => membership.byName(name)!);
      const willing = (member: Member) => !hasFailed(entry, member);
      const reliable = (member: Member) => willing(member) && isReliable(member);
      this.#give(
        entry,
        this.#slots.takeAmong(voters, reliable, willing, () => true),
        "again",
      );
      return;
    }
    const involved = new Set([...audit.votes.map(({ worker }) => worker), ...audit.leaseholders]);
    const choices = reliableFirst(entry, audit.backend, ({ worker }) => !involved.has(worker));
    this.#give(entry, this.#slots.take(...choices), "audit");
  }

  /** A backup that takes longer than usual as well gets one, too. */
  #giveBackups(): void {
    for (const entry of this.#view.slow) {
      if (this.#slots.none) return;
      // It has just been given to a second worker.
      if (this.#given.has(entry)) continue;
      const backend = backendOf(entry);
      const choices = reliableFirst(entry, entry.audited ? backend : undefined, (member) =>
        mayHelp(entry, member, backend),
      );
      this.#give(entry, this.#slots.take(...choices), "slow");
    }
  }

  #backendOf(entry: TaskEntry): BackendName | undefined {
    return backendOf(entry) ?? this.#begun.get(entry)?.hello.backend;
  }

  #begin(entry: TaskEntry, member: Member | undefined, reason: GrantReason): void {
    if (member) this.#begun.set(entry, member);
    this.#give(entry, member, reason);
  }

  #give(entry: TaskEntry, member: Member | undefined, reason: GrantReason): void {
    if (!member) return;
    this.#given.add(entry);
    this.grants.push({ entry, member, reason });
  }
}

/** By step, then index. */
function* leasedIn(steps: readonly OpenStep[]): Generator<TaskEntry> {
  for (const { leased } of steps) yield* leased;
}

/** For what must not be held up again: those whose last lease brought a result, then all who have not failed at the task. */
function reliableFirst(
  entry: TaskEntry,
  backend: BackendName | undefined,
  allows: (member: Member) => boolean,
): readonly Choice[] {
  const willing = (member: Member) => allows(member) && !hasFailed(entry, member);
  return [
    { backend, reliable: true, allows: willing },
    { backend, allows: willing },
    { backend, allows },
  ];
}

/**
 * It does not compute the task already; and the votes of an audited task come from different workers of one backend.
 *
 * @param backend of the task's results
 */
export function mayHelp(entry: TaskEntry, { worker, hello }: Member, backend = backendOf(entry)): boolean {
  for (const lease of entry.leases) if (lease.worker === worker) return false;
  if (!entry.audited) return true;
  return hello.backend === backend && !entry.votes.some((vote) => vote.worker === worker);
}

function hasFailed(entry: TaskEntry, { worker }: Member): boolean {
  return entry.failures.includes(worker);
}
