import { OrderedSet } from "./ordered-set.js";

/** What a moment may belong to: `order` is its own and never changes; among equal moments the lower one comes first. */
export interface Ordered {
  readonly order: number;
}

export function byOrder(a: Ordered, b: Ordered): number {
  return a.order - b.order;
}

interface Moment<K> extends Ordered {
  readonly key: K;
  readonly ms: number;
}

const NOBODY: readonly never[] = [];

/**
 * One moment for each of many things, in order of time: which are due, and which comes next, is found without looking at
 * the others. Bounds are given as predicates that hold up to some moment, so that they are computed as they would be for a
 * single thing, to the last bit.
 */
export class Moments<K extends Ordered> {
  readonly #moments = new Map<K, Moment<K>>();
  readonly #inOrder = new OrderedSet<Moment<K>>((a, b) => a.ms - b.ms || byOrder(a, b));

  get size(): number {
    return this.#moments.size;
  }

  /** Replaces the key's moment; `undefined` takes it away. */
  set(key: K, ms: number | undefined): void {
    if (ms === undefined && this.#moments.size === 0) return;
    const before = this.#moments.get(key);
    if (before?.ms === ms) return;
    if (before) {
      this.#inOrder.delete(before);
      this.#moments.delete(key);
    }
    if (ms === undefined) return;
    const moment = { key, ms, order: key.order };
    this.#moments.set(key, moment);
    this.#inOrder.add(moment);
  }

  /** Whose moment is the earliest. */
  get first(): K | undefined {
    return this.#inOrder.first?.key;
  }

  /** Whose moment the predicate holds for, earliest first. */
  until(holds: (ms: number) => boolean): Iterable<K> {
    const { first } = this.#inOrder;
    return first === undefined || !holds(first.ms) ? NOBODY : this.#until(holds);
  }

  /** The first moment that the predicate does not hold for any more. */
  next(holds: (ms: number) => boolean): number | undefined {
    const { first } = this.#inOrder;
    if (first === undefined || !holds(first.ms)) return first?.ms;
    return this.#inOrder.firstFrom(({ ms }) => holds(ms))?.ms;
  }

  *#until(holds: (ms: number) => boolean): Generator<K> {
    for (const { key } of this.#inOrder.until(({ ms }) => holds(ms))) yield key;
  }

  /** Moves all moments by `ms`. */
  shift(ms: number): void {
    const all = [...this.#inOrder];
    for (const { key } of all) this.set(key, undefined);
    for (const moment of all) this.set(moment.key, moment.ms + ms);
  }
}
