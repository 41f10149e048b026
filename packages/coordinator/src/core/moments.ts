import { OrderedSet } from "./ordered-set.js";

/** What a moment may belong to: `order` is its own and never changes; among equal moments the lower one comes first. */
export interface Ordered {
  readonly order: number;
}

export function byOrder(a: Ordered, b: Ordered): number {
  return a.order - b.order;
}

interface Moment<K> {
  readonly key: K;
  readonly ms: number;
}

/**
 * One moment for each of many things, in order of time: which are due, and which comes next, is found without looking at
 * the others. Bounds are given as predicates that hold up to some moment, so that they are computed as they would be for a
 * single thing, to the last bit.
 */
export class Moments<K extends Ordered> {
  readonly #moments = new Map<K, Moment<K>>();
  readonly #inOrder = new OrderedSet<Moment<K>>((a, b) => a.ms - b.ms || byOrder(a.key, b.key));

  get size(): number {
    return this.#moments.size;
  }

  /** Replaces the key's moment; `undefined` takes it away. */
  set(key: K, ms: number | undefined): void {
    const before = this.#moments.get(key);
    if (before?.ms === ms) return;
    if (before) {
      this.#inOrder.delete(before);
      this.#moments.delete(key);
    }
    if (ms === undefined) return;
    const moment = { key, ms };
    this.#moments.set(key, moment);
    this.#inOrder.add(moment);
  }

  /** Whose moment the predicate holds for, earliest first. */
  *until(holds: (ms: number) => boolean): Generator<K> {
    for (const { key } of this.#inOrder.until(({ ms }) => holds(ms))) yield key;
  }

  /** The first moment that the predicate does not hold for any more. */
  next(holds: (ms: number) => boolean): number | undefined {
    return this.#inOrder.firstFrom(({ ms }) => holds(ms))?.ms;
  }

  /** Moves all moments by `ms`. */
  shift(ms: number): void {
    const all = [...this.#inOrder];
    for (const { key } of all) this.set(key, undefined);
    for (const moment of all) this.set(moment.key, moment.ms + ms);
  }
}
