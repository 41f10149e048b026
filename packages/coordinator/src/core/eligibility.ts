import type { BackendName } from "@mzsr/shared";
import type { Member } from "./member.js";
import { byOrder } from "./moments.js";
import { OrderedSet } from "./ordered-set.js";

const NOBODY: ReadonlyMembers = new OrderedSet<Member>(byOrder);

export interface ReadonlyMembers extends Iterable<Member> {
  readonly size: number;
}

/**
 * Who may be given tasks that somebody waits for: all active members but those on trial, or all where nobody else is there.
 * Kept by backend, and changed member by member.
 */
export class Eligibility {
  readonly #active = new OrderedSet<Member>(byOrder);
  readonly #trusted = new OrderedSet<Member>(byOrder);
  readonly #eligible = new Map<BackendName, OrderedSet<Member>>();
  readonly #eligibleAs = new Map<Member, BackendName>();
  #changed = new Set<Member>();
  #version = 0;

  /** Changes whenever somebody becomes eligible or ceases to be. */
  get version(): number {
    return this.#version;
  }

  /** The member's state, session, backend or trial may have changed. */
  update(member: Member): void {
    const anyTrusted = this.#trusted.size > 0;
    this.#active.toggle(member, isActive(member));
    this.#trusted.toggle(member, isTrusted(member));
    if (this.#trusted.size > 0 !== anyTrusted) for (const each of this.#active) this.#file(each);
    this.#file(member);
  }

  isEligible(member: Member): boolean {
    return this.#eligibleAs.has(member);
  }

  /** May only be given copies of what others compute. */
  isOnTrial(member: Member): boolean {
    return isActive(member) && !this.isEligible(member);
  }

  /** In the order in which they first came. */
  on(backend: BackendName): ReadonlyMembers {
    return this.#eligible.get(backend) ?? NOBODY;
  }

  get backends(): Iterable<BackendName> {
    return this.#eligible.keys();
  }

  /** Is there one such? Stops at the first. */
  some(predicate: (member: Member) => boolean): boolean {
    for (const members of this.#eligible.values()) for (const member of members) if (predicate(member)) return true;
    return false;
  }

  /** Members that `update` was called for, or would have to be, since the last call. */
  takeChanged(): ReadonlySet<Member> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Set();
    return changed;
  }

  #file(member: Member): void {
    this.#changed.add(member);
    const may = this.#trusted.size > 0 ? isTrusted(member) : isActive(member);
    const before = this.#eligibleAs.get(member);
    const backend = may ? member.hello.backend : undefined;
    if (before === backend) return;
    this.#version++;
    if (before !== undefined) this.#eligible.get(before)!.delete(member);
    if (backend === undefined) {
      this.#eligibleAs.delete(member);
      return;
    }
    this.#eligibleAs.set(member, backend);
    if (!this.#eligible.has(backend)) this.#eligible.set(backend, new OrderedSet<Member>(byOrder));
    this.#eligible.get(backend)!.add(member);
  }
}

function isActive({ session, state }: Member): boolean {
  return session !== undefined && state === "active";
}

function isTrusted(member: Member): boolean {
  return isActive(member) && member.recentOutcomes.trial === undefined;
}
