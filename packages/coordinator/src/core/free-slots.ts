import type { BackendName } from "@mzsr/shared";
import type { Member } from "./membership.js";
import { OrderedSet } from "./ordered-set.js";
import { byFreedom, type FreeGroup, type FreeWorker } from "./worker-slots.js";

/** Who is asked for: of one backend or of any, only the reliable or all. */
export interface Choice {
  readonly backend?: BackendName | undefined;
  readonly reliable?: boolean;
  readonly allows: (member: Member) => boolean;
}

/** What a plan of slots starts from. */
export interface FreeSlotsView {
  readonly groups: Iterable<FreeGroup>;
  /** How many have a free slot. */
  readonly freeWorkers: number;
  freeSlotsOf(member: Member): number;
}

/**
 * The free slots while they are being given away, spread evenly: whoever has most of them is given the next task. Leaves
 * what it was made from as it is, and reads only as much of it as it gives away.
 */
export class FreeSlots {
  readonly #view: FreeSlotsView;
  readonly #groups: readonly GroupPlan[];
  readonly #left = new Map<Member, number>();
  #workers: number;

  constructor(view: FreeSlotsView) {
    this.#view = view;
    this.#groups = [...view.groups].map((group) => new GroupPlan(group, (member) => this.of(member)));
    this.#workers = view.freeWorkers;
  }

  get none(): boolean {
    return this.#workers === 0;
  }

  /** Free slots of the member. */
  of(member: Member): number {
    return this.#left.get(member) ?? this.#view.freeSlotsOf(member);
  }

  /** Takes a slot of the worker that has most of them free among those of the first choice that anybody meets. */
  take(...choices: readonly Choice[]): Member | undefined {
    for (const choice of choices) {
      const best = this.#best(choice);
      if (best) return this.takeOf(best.member);
    }
    return undefined;
  }

  /** As `take`, among few members that are known. */
  takeAmong(members: readonly Member[], ...choices: readonly ((member: Member) => boolean)[]): Member | undefined {
    for (const allows of choices) {
      const candidates = members.filter((member) => this.of(member) > 0 && allows(member));
      const [best] = candidates.map((member) => ({ member, free: this.of(member) })).sort(byFreedom);
      if (best) return this.takeOf(best.member);
    }
    return undefined;
  }

  /** Takes a slot of the member, which has one free. */
  takeOf(member: Member): Member {
    const before = this.of(member);
    this.#left.set(member, before - 1);
    if (before === 1) this.#workers--;
    for (const group of this.#groups) group.taken(member, before);
    return member;
  }

  #best({ backend, reliable, allows }: Choice): FreeWorker | undefined {
    let best: FreeWorker | undefined;
    for (const group of this.#groups) {
      if (backend !== undefined && group.backend !== backend) continue;
      if (reliable === true && !group.reliable) continue;
      const found = group.first(allows);
      if (found && (!best || byFreedom(found, best) < 0)) best = found;
    }
    return best;
  }
}

/** One group: what has been read of it, with the slots that are left, and the rest. */
class GroupPlan {
  readonly backend: BackendName;
  readonly reliable: boolean;
  readonly #slotsOf: (member: Member) => number;
  readonly #read = new OrderedSet<FreeWorker>(byFreedom);
  readonly #rest: Iterator<FreeWorker>;
  #next: FreeWorker | undefined;

  constructor({ backend, reliable, workers }: FreeGroup, slotsOf: (member: Member) => number) {
    this.backend = backend;
    this.reliable = reliable;
    this.#slotsOf = slotsOf;
    this.#rest = workers[Symbol.iterator]();
    this.#advance();
  }

  first(allows: (member: Member) => boolean): FreeWorker | undefined {
    for (;;) {
      const found = this.#firstRead(allows);
      const next = this.#next;
      if (!next || (found && byFreedom(found, next) < 0)) return found;
      const free = this.#slotsOf(next.member);
      if (free > 0) this.#read.add({ member: next.member, free });
      this.#advance();
    }
  }

  /** @param before slots that the member had until now */
  taken(member: Member, before: number): void {
    const { size } = this.#read;
    this.#read.delete({ member, free: before });
    if (this.#read.size < size && before > 1) this.#read.add({ member, free: before - 1 });
  }

  #firstRead(allows: (member: Member) => boolean): FreeWorker | undefined {
    for (const worker of this.#read) if (allows(worker.member)) return worker;
    return undefined;
  }

  #advance(): void {
    const { done, value } = this.#rest.next();
    this.#next = done ? undefined : value;
  }
}
