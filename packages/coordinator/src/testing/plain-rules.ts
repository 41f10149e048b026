/**
 * The scheduling rules as plainly as they can be written: everything is computed anew from all workers, tasks and leases,
 * on a copy of them. What the core keeps in indexes must decide the same.
 */
import type { Task } from "@mzsr/shared";
import { type AuditMove, nextAuditMove } from "../core/audits.js";
import type { SessionId } from "../core/events.js";
import {
  backendOf,
  type GrantedLease,
  isPending,
  type LeaseKind,
  type TaskBoard,
  type TaskEntry,
} from "../core/leases.js";
import type { Member, Membership } from "../core/membership.js";
import type { StageTimes } from "../core/task-times.js";

export interface PlainGrant {
  readonly place: string;
  readonly worker: string;
  readonly kind: LeaseKind;
}

type CopiedEntry = TaskEntry & { readonly leases: Set<GrantedLease> };

export class PlainRules {
  readonly #membership: Membership;
  readonly #times: StageTimes;
  /** Which session was told of which task, by the task's place. */
  readonly #announced: Map<string, SessionId>;
  readonly #nowMs: number;
  readonly #steps: readonly { readonly step: number; readonly entries: readonly CopiedEntry[] }[];
  readonly #leases: GrantedLease[];

  constructor(
    { membership, board, times }: { membership: Membership; board: TaskBoard; times: StageTimes },
    announced: Map<string, SessionId>,
    nowMs: number,
  ) {
    this.#membership = membership;
    this.#times = times;
    this.#announced = announced;
    this.#nowMs = nowMs;
    this.#steps = board.steps.map(({ step, entries }) => ({
      step,
      entries: entries.map((entry) => ({ ...entry, leases: new Set(entry.leases) })),
    }));
    this.#leases = [...board.leases];
  }

  get #active(): Member[] {
    return this.#membership.connected.filter(({ state }) => state === "active");
  }

  get eligible(): Member[] {
    const trusted = this.#active.filter(({ recentOutcomes }) => recentOutcomes.trial === undefined);
    return trusted.length > 0 ? trusted : this.#active;
  }

  get onTrial(): Member[] {
    const onTrial = this.#active.filter(({ recentOutcomes }) => recentOutcomes.trial !== undefined);
    return onTrial.length < this.#active.length ? onTrial : [];
  }

  // Leases

  dispatch(): readonly PlainGrant[] {
    const grants: PlainGrant[] = [];
    const grant = (entry: CopiedEntry, member: Member, kind: LeaseKind) => {
      const { worker, hello, session } = member;
      const request = { entry, worker, session: session!, backend: hello.backend, kind, groupable: false };
      const lease: GrantedLease = { ...request, id: "", order: Number.POSITIVE_INFINITY, grantedMs: this.#nowMs };
      this.#leases.push(lease);
      if (kind !== "trial") entry.leases.add(lease);
      grants.push({ place: placeOf(entry.task), worker, kind });
    };
    this.#giveTasks(grant);
    for (const member of this.onTrial) {
      if (this.#busy(member) > 0) continue;
      const entry = this.#unsettled().find((each) => each.leases.size > 0 && mayHelp(each, member));
      if (entry) grant(entry, member, "trial");
    }
    return grants;
  }

  #giveTasks(grant: (entry: CopiedEntry, member: Member, kind: LeaseKind) => void): void {
    const all = () => true;
    const give = (
      entry: CopiedEntry,
      kind: LeaseKind,
      preferences: readonly ((member: Member) => boolean)[],
      allowed: (member: Member) => boolean = all,
    ) => {
      const candidates = this.eligible.filter((member) => this.#free(member) > 0 && allowed(member));
      for (const preferred of [...preferences, all]) {
        const most = Math.max(...candidates.filter(preferred).map((member) => this.#free(member)));
        const best = candidates.find((member) => preferred(member) && this.#free(member) === most);
        if (best) return grant(entry, best, kind);
      }
    };
    if (this.#noneFree()) return;
    for (const { entries } of this.#steps) {
      for (const entry of entries) {
        const session = isPending(entry) ? this.#announced.get(placeOf(entry.task)) : undefined;
        const announced = (member: Member) => member.session === session && !hasFailed(entry, member);
        if (session !== undefined) give(entry, "first", [], announced);
      }
      const pending = entries.filter(isPending);
      const isTold = ({ task }: TaskEntry) => this.#announced.has(placeOf(task));
      for (const entry of [...pending.filter((each) => !isTold(each)), ...pending.filter(isTold)]) {
        give(entry, "first", [(member) => !hasFailed(entry, member)]);
      }
      for (const entry of entries) {
        if (!entry.audited || entry.settled !== undefined || isPending(entry)) continue;
        const move = this.#auditMove(entry, { waitedForThird: false, overdue: false });
        if (move.move === "compute") {
          give(entry, move.kind, reliableFirst(entry), ({ worker }) => move.by.includes(worker));
        }
      }
      if (this.#noneFree()) return;
    }
    const slow = this.#unsettled().filter((entry) => this.#isSlow(entry));
    const oldestMs = ({ leases }: TaskEntry) => Math.min(...[...leases].map(({ grantedMs }) => grantedMs));
    for (const entry of slow.sort((a, b) => oldestMs(a) - oldestMs(b))) {
      give(entry, "backup", reliableFirst(entry), (member) => mayHelp(entry, member));
    }
  }

  // Announcements

  /** Changes what has been announced. @param ahead the tasks of the step after the open ones */
  announce(ahead: () => readonly Task[]): ReadonlyMap<string, readonly string[]> {
    const { eligible } = this;
    const sessions = new Set(eligible.map(({ session }) => session!));
    for (const [place, session] of this.#announced) if (!sessions.has(session)) this.#announced.delete(place);
    const slots = eligible.flatMap((member) => this.#slotsOf(member)).sort((a, b) => a.freeMs - b.freeMs);
    const told = new Map<string, string[]>();
    if (slots.length === 0) return told;
    const next = this.#unsettled().filter((entry) => isPending(entry) && entry.failures.length === 0);
    const places = next.map(({ task }) => placeOf(task)).filter((place) => !this.#announced.has(place));
    if (places.length < slots.length) {
      places.push(
        ...ahead()
          .map(placeOf)
          .filter((place) => !this.#announced.has(place)),
      );
    }
    for (const [i, { member }] of slots.entries()) {
      const place = places[i];
      if (place === undefined) break;
      this.#announced.set(place, member.session!);
      told.set(member.worker, [...(told.get(member.worker) ?? []), place]);
    }
    return told;
  }

  #slotsOf(member: Member): { readonly member: Member; readonly freeMs: number }[] {
    const taskMs = 1000 * (member.secondsPerTask ?? 0);
    const ends = this.#leasesOf(member).map(({ grantedMs }) => grantedMs + taskMs);
    const free = Array.from({ length: member.hello.slots }, (_, slot) => ends[slot] ?? 0).sort((a, b) => a - b);
    const known = [...this.#announced.values()].filter((session) => session === member.session).length;
    return free.slice(known).map((freeMs) => ({ member, freeMs }));
  }

  // Time

  overdue(): readonly string[] {
    return this.#leases.filter((lease) => this.#nowMs - lease.grantedMs >= this.#deadlineMs(lease)).map(({ id }) => id);
  }

  isOver(lease: GrantedLease): boolean {
    const { entry, kind, session, grantedMs } = lease;
    const ageMs = this.#nowMs - grantedMs;
    if (ageMs < this.#deadlineMs(lease)) return false;
    if (ageMs >= this.#times[entry.task.stage].aloneDeadlineMs(entry.expirations) || kind === "trial") return true;
    return this.eligible.some((member) => member.session !== session && mayHelp(entry, member));
  }

  nextMs(): number {
    const deadlines = this.#leases.map((lease) => lease.grantedMs + this.#deadlineMs(lease));
    const awaited = this.#leases.filter(({ kind, entry }) => kind !== "trial" && entry.settled === undefined);
    const slow = awaited.map(({ grantedMs, entry }) => grantedMs + this.#times[entry.task.stage].slowMs);
    const moments = this.#noneFree() ? deadlines : [...deadlines, ...slow];
    return Math.min(...moments.filter((moment) => moment > this.#nowMs));
  }

  /** Audits that could be decided by the results that are there, whoever may still come: places. */
  decidableAudits(patienceMs: number): readonly string[] {
    const voted = this.#unsettled().filter(({ audited, votes }) => audited && votes.length > 0);
    const decidable = voted.filter((entry) => {
      const { dissentMs, auditMs, task } = entry;
      const waitedForThird = dissentMs !== undefined && this.#nowMs - dissentMs >= patienceMs;
      const overdue = auditMs !== undefined && this.#nowMs - auditMs >= this.#times[task.stage].auditMs;
      const { move } = this.#auditMove(entry, { waitedForThird, overdue });
      return move === "settle" || move === "restart";
    });
    return decidable.map(({ task }) => placeOf(task));
  }

  // Parts of the above

  #auditMove(entry: CopiedEntry, waits: { readonly waitedForThird: boolean; readonly overdue: boolean }): AuditMove {
    return nextAuditMove({
      backend: backendOf(entry),
      votes: entry.votes,
      leaseholders: [...entry.leases].map(({ worker }) => worker),
      workers: this.eligible.map(({ worker, hello }) => ({ worker, backend: hello.backend })),
      alone: false,
      ...waits,
    });
  }

  #unsettled(): CopiedEntry[] {
    return this.#steps.flatMap(({ entries }) => entries).filter(({ settled }) => settled === undefined);
  }

  #leasesOf({ session }: Member): GrantedLease[] {
    return this.#leases.filter((lease) => lease.session === session);
  }

  #busy(member: Member): number {
    return this.#leasesOf(member).length;
  }

  #free(member: Member): number {
    return member.hello.slots - this.#busy(member);
  }

  #noneFree(): boolean {
    return this.eligible.every((member) => this.#free(member) <= 0);
  }

  #isSlow({ leases, task }: TaskEntry): boolean {
    const { slowMs } = this.#times[task.stage];
    return leases.size > 0 && [...leases].every(({ grantedMs }) => this.#nowMs - grantedMs >= slowMs);
  }

  #deadlineMs({ entry, kind, session }: GrantedLease): number {
    const lapsed = this.#membership.bySession(session)!.recentOutcomes.lapsedTrials;
    return this.#times[entry.task.stage].deadlineMs(kind === "trial" ? lapsed : entry.expirations);
  }
}

export function placeOf({ step, index }: Pick<Task, "step" | "index">): string {
  return `${step}/${index}`;
}

function reliableFirst(entry: TaskEntry): readonly ((member: Member) => boolean)[] {
  const willing = (member: Member) => !hasFailed(entry, member);
  const reliable = ({ tasksDone, recentOutcomes }: Member) => tasksDone > 0 && recentOutcomes.unanswered === 0;
  return [(member) => willing(member) && reliable(member), willing];
}

function mayHelp(entry: TaskEntry, { worker, hello }: Member): boolean {
  if ([...entry.leases].some((lease) => lease.worker === worker)) return false;
  if (!entry.audited) return true;
  return hello.backend === backendOf(entry) && !entry.votes.some((vote) => vote.worker === worker);
}

function hasFailed({ failures }: TaskEntry, { worker }: Member): boolean {
  return failures.includes(worker);
}
