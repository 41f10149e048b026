import type { TaskEntry } from "./task-entry.js";

const WORD = 32;

/**
 * Some of a step's tasks, by index: a bit for each. Putting one in or out costs the same however many there are; the first
 * one is found by looking at the words from the lowest that may have any, a word for 32 tasks.
 *
 * Nothing may be changed during an iteration.
 */
export class EntrySet implements Iterable<TaskEntry> {
  readonly #entries: readonly TaskEntry[];
  readonly #words: Uint32Array;
  /** No word below has any bit. */
  #lowest: number;
  #size = 0;

  /** @param entries a step's tasks by index */
  constructor(entries: readonly TaskEntry[]) {
    this.#entries = entries;
    this.#words = new Uint32Array(Math.ceil(entries.length / WORD));
    this.#lowest = this.#words.length;
  }

  get size(): number {
    return this.#size;
  }

  get first(): TaskEntry | undefined {
    if (this.#size === 0) return undefined;
    while (this.#words[this.#lowest] === 0) this.#lowest++;
    return this.#entries[this.#lowest * WORD + lowestBit(this.#words[this.#lowest]!)];
  }

  /** In the set or not, as `wanted` says. */
  toggle({ task: { index } }: TaskEntry, wanted: boolean): void {
    const at = index >>> 5;
    const bit = 1 << (index & 31);
    if (((this.#words[at]! & bit) !== 0) === wanted) return;
    this.#words[at]! ^= bit;
    this.#size += wanted ? 1 : -1;
    if (wanted && at < this.#lowest) this.#lowest = at;
  }

  *[Symbol.iterator](): Iterator<TaskEntry> {
    let left = this.#size;
    for (let at = this.#lowest; left > 0; at++) {
      for (let word = this.#words[at]!; word !== 0; word &= word - 1) {
        yield this.#entries[at * WORD + lowestBit(word)]!;
        left--;
      }
    }
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
