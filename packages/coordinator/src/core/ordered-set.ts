/** Items in a chunk; twice as many split it. Small enough that shifting them costs less than a comparison too many. */
const CHUNK = 64;

const NOTHING: readonly never[] = [];

/**
 * A set that keeps its items in order: finding, adding and removing one takes a number of comparisons that grows with
 * the logarithm of their number. The items lie in short sorted chunks, as in Python's `sortedcontainers`.
 *
 * What the order depends on must not change while an item is in the set. Nothing may be added or removed during an
 * iteration.
 */
export class OrderedSet<T> implements Iterable<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #chunks: T[][] = [];
  #size = 0;

  /** @param compare a total order: 0 only for one and the same item */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  /** Does nothing when the item is there already. */
  add(item: T): void {
    const last = this.#chunks.at(-1);
    if (last === undefined) this.#chunks.push([item]);
    // Orders by time are nearly always added to at their end.
    else if (this.#compare(last[last.length - 1]!, item) < 0) this.#insert(this.#chunks.length - 1, last.length, item);
    else {
      const at = this.#chunkOf(item);
      const place = this.#placeIn(this.#chunks[at]!, item);
      if (this.#isAt(at, place, item)) return;
      this.#insert(at, place, item);
    }
    this.#size++;
  }

  /** Does nothing when the item is not there. */
  delete(item: T): void {
    if (this.#size === 0) return;
    const at = this.#chunkOf(item);
    const chunk = this.#chunks[at]!;
    const place = this.#placeIn(chunk, item);
    if (!this.#isAt(at, place, item)) return;
    if (place === 0) chunk.shift();
    else chunk.splice(place, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
  }

  /** In the set or not, as `wanted` says. */
  toggle(item: T, wanted: boolean): void {
    if (wanted) this.add(item);
    else this.delete(item);
  }

  /** The first item that does not come before the bound. @param isBefore true for a first part of the set, then false */
  firstFrom(isBefore: (item: T) => boolean): T | undefined {
    const at = lowerBound(this.#chunks, (chunk) => isBefore(chunk.at(-1)!));
    const chunk = this.#chunks[at];
    return chunk?.[lowerBound(chunk, isBefore)];
  }

  /** The items before the bound, in order. @param isBefore as for `firstFrom` */
  until(isBefore: (item: T) => boolean): Iterable<T> {
    const { first } = this;
    return first === undefined || !isBefore(first) ? NOTHING : this.#until(isBefore);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  *#until(isBefore: (item: T) => boolean): Generator<T> {
    for (const item of this) {
      if (!isBefore(item)) return;
      yield item;
    }
  }

  #insert(at: number, place: number, item: T): void {
    const chunk = this.#chunks[at]!;
    if (place === chunk.length) chunk.push(item);
    else chunk.splice(place, 0, item);
    if (chunk.length > 2 * CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK));
  }

  #isAt(at: number, place: number, item: T): boolean {
    const found = this.#chunks[at]![place];
    return found !== undefined && this.#compare(found, item) === 0;
  }

  // Searches of their own, for they are what an event spends its time on: `lowerBound` calls a closure for each item.

  /** The chunk in which the item is or belongs; the last one that does not begin after it. */
  #chunkOf(item: T): number {
    let low = 1;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#chunks[middle]![0]!, item) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** How many items of the chunk come before this one. */
  #placeIn(chunk: readonly T[], item: T): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(chunk[middle]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How many of the first items the predicate holds for; it holds for a first part of them. */
function lowerBound<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Both in order, each of which is in order. */
export function* merged<T>(a: Iterable<T>, b: Iterable<T>, compare: (a: T, b: T) => number): Generator<T> {
  const [left, right] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  let [x, y] = [left.next(), right.next()];
  while (!x.done || !y.done) {
    if (!x.done && (y.done || compare(x.value, y.value) <= 0)) {
      yield x.value;
      x = left.next();
    } else if (!y.done) {
      yield y.value;
      y = right.next();
    }
  }
}
