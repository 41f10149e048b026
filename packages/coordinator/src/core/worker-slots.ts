import type { BackendName } from "@mzsr/shared";
import type { Announcements } from "./announcements.js";
import type { SessionId } from "./events.js";
import type { TaskBoard } from "./leases.js";
import type { Member, Membership } from "./membership.js";
import { byOrder, Moments } from "./moments.js";
import { OrderedSet } from "./ordered-set.js";

/** Workers with free slots that are alike in what decides about a task, but for the tasks they know. */
export interface FreeGroup {
  readonly backend: BackendName;
  /** Their last leases brought results. */
  readonly reliable: boolean;
  /** Those with most free slots first, then those that came first. */
  readonly workers: Iterable<FreeWorker>;
}

export interface FreeWorker {
  readonly member: Member;
  /** At least 1. */
  readonly free: number;
}

/** Where a worker is filed: as it was when it was looked at last. */
interface Filed extends FreeWorker {
  readonly session: SessionId;
  readonly group: MutableGroup;
}

interface MutableGroup extends FreeGroup {
  readonly workers: OrderedSet<FreeWorker>;
}

export interface WorkerSlotsParts {
  readonly board: TaskBoard;
  readonly membership: Membership;
  readonly announcements: Announcements;
}

/** The slots of the workers that may be given tasks: which are free, and which will be free with nothing announced for them. */
export class WorkerSlots {
  readonly #board: TaskBoard;
  readonly #membership: Membership;
  readonly #announcements: Announcements;
  readonly #groups: MutableGroup[] = [];
  readonly #filed = new Map<Member, Filed>();
  readonly #unannounced = new Moments<Member>();
  readonly #idleOnTrial = new OrderedSet<Member>(byOrder);
  #free = 0;

  constructor({ board, membership, announcements }: WorkerSlotsParts) {
    this.#board = board;
    this.#membership = membership;
    this.#announcements = announcements;
  }

  /** Takes in what has changed. To be called before anything is asked. */
  refresh(): void {
    const changed = this.#membership.eligibility.takeChanged();
    for (const session of this.#board.takeChangedSessions()) {
      const member = this.#membership.bySession(session);
      if (member && !changed.has(member)) this.update(member);
    }
    for (const member of changed) this.#memberChanged(member);
  }

  /** The worker's leases or announcements have changed. */
  update(member: Member): void {
    const { eligibility } = this.#membership;
    const { session } = member;
    const busy = session === undefined ? 0 : this.#board.leasesOf(session).size;
    this.#idleOnTrial.toggle(member, eligibility.isOnTrial(member) && busy === 0);
    const eligible = session !== undefined && eligibility.isEligible(member);
    this.#file(member, eligible ? session : undefined, member.hello.slots - busy);
    this.#unannounced.set(member, eligible ? this.#nextUnannouncedMs(member, session) : undefined);
  }

  /** Is any slot free? */
  get anyFree(): boolean {
    return this.#free > 0;
  }

  /** Workers with free slots. */
  get freeWorkers(): number {
    return this.#free;
  }

  /** Free slots of a worker that may be given tasks; 0 for others. */
  freeSlotsOf(member: Member): number {
    return Math.max(0, this.#filed.get(member)?.free ?? 0);
  }

  get groups(): Iterable<FreeGroup> {
    return this.#groups;
  }

  /** Workers on trial without any lease, in the order in which they came. */
  get idleOnTrial(): Iterable<Member> {
    return this.#idleOnTrial;
  }

  /** Whose slot will be free first of those for which nothing is announced. */
  get firstUnannounced(): Member | undefined {
    return this.#unannounced.first;
  }

  #memberChanged(member: Member): void {
    this.update(member);
    const { session } = member;
    if (session === undefined) return;
    // How long a copy on trial may take depends on what its worker has answered since.
    for (const lease of this.#board.leasesOf(session)) if (lease.kind === "trial") this.#board.moments.set(lease);
  }

  #file(member: Member, session: SessionId | undefined, free: number): void {
    const before = this.#filed.get(member);
    const group = session === undefined ? undefined : this.#group(member.hello.backend, isReliable(member));
    if (before?.session === session && before?.group === group && before?.free === free) return;
    if (before) {
      before.group.workers.delete(before);
      if (before.free > 0) this.#free--;
      if (before.session !== session) this.#announcements.lapse(before.session);
      this.#filed.delete(member);
    }
    if (session === undefined || group === undefined) return;
    const filed = { member, free, session, group };
    this.#filed.set(member, filed);
    if (free <= 0) return;
    group.workers.add(filed);
    this.#free++;
  }

  #group(backend: BackendName, reliable: boolean): MutableGroup {
    let group = this.#groups.find((each) => each.backend === backend && each.reliable === reliable);
    if (!group) {
      group = { backend, reliable, workers: new OrderedSet(byFreedom) };
      this.#groups.push(group);
    }
    return group;
  }

  /**
   * When the first slot without an announcement will be free, if its task takes as long as the worker's last ones; 0 when it
   * has none. Announced tasks take the slots that are free first.
   */
  #nextUnannouncedMs(member: Member, session: SessionId): number | undefined {
    const { slots } = member.hello;
    const announced = this.#announcements.countFor(session);
    if (announced >= slots) return undefined;
    const leases = this.#board.leasesOf(session);
    const idle = Math.max(0, slots - leases.size);
    if (announced < idle) return 0;
    const taskMs = 1000 * (member.secondsPerTask ?? 0);
    let place = idle;
    for (const { grantedMs } of leases) if (place++ === announced) return grantedMs + taskMs;
    return undefined;
  }
}

export function byFreedom(a: FreeWorker, b: FreeWorker): number {
  return b.free - a.free || byOrder(a.member, b.member);
}

/** It has answered before, and its last lease brought a result. */
export function isReliable({ tasksDone, recentOutcomes }: Member): boolean {
  return tasksDone > 0 && recentOutcomes.unanswered === 0;
}
