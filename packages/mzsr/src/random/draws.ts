import { philox4x32 } from "./philox.js";
import { portableLog } from "./portable-math.js";

const WORDS_PER_BLOCK = 4;
const TWO_TO_26 = 0x400_0000;
const TWO_TO_32 = 0x1_0000_0000;
const TWO_TO_53 = 0x20_0000_0000_0000;

/**
 * A stream of random numbers named by (seed, a, b, c): the same name gives the same numbers, and different names give
 * independent streams. The seed is Philox's key; the counter holds the block number and the three words of the name.
 * A stream holds 2^34 words.
 */
export class Draws {
  readonly #key = new Uint32Array(2);
  readonly #counter = new Uint32Array(WORDS_PER_BLOCK);
  readonly #block = new Uint32Array(WORDS_PER_BLOCK);
  #blocks = 0;
  #next = WORDS_PER_BLOCK;
  #spareNormal: number | undefined;

  /**
   * @param seed from 0 to 2^64 − 1 (as a number: a safe integer)
   * @param stream three unsigned 32-bit integers
   * @throws RangeError when a part does not fit: silently wrapping would make two streams one
   */
  constructor(seed: bigint | number, stream: readonly [number, number, number]) {
    if (typeof seed === "number" && !Number.isSafeInteger(seed)) throw new RangeError(`seed ${seed} is not an integer`);
    const bits = BigInt(seed);
    if (bits !== BigInt.asUintN(64, bits)) throw new RangeError(`seed ${seed} is outside 0 … 2^64 − 1`);
    this.#key[0] = Number(bits & 0xffff_ffffn);
    this.#key[1] = Number(bits >> 32n);
    for (const [i, word] of stream.entries()) {
      if (word !== word >>> 0) throw new RangeError(`stream word ${word} is not an unsigned 32-bit integer`);
      this.#counter[i + 1] = word;
    }
  }

  /** Uniform in [lo, hi], with 53 random bits; hi itself comes only by rounding (or when lo = hi). */
  uniform(lo: number, hi: number): number {
    if (!(lo <= hi)) throw new RangeError(`no number lies between ${lo} and ${hi}`);
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return Math.min(lo + (hi - lo) * ((high * TWO_TO_26 + low) / TWO_TO_53), hi);
  }

  /** Uniform in 0 … n − 1, without bias: words beyond the last whole multiple of n are drawn again. n ≤ 2^32. */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO_TO_32) throw new RangeError(`cannot draw one of ${n}`);
    const end = TWO_TO_32 - (TWO_TO_32 % n);
    let word = this.#word();
    while (word >= end) word = this.#word();
    return word % n;
  }

  /** Standard normal, by Marsaglia's polar method: it needs only a logarithm, a square root and divisions. */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const x = this.uniform(-1, 1);
      const y = this.uniform(-1, 1);
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const factor = Math.sqrt((-2 * portableLog(square)) / square);
      this.#spareNormal = y * factor;
      return x * factor;
    }
  }

  #word(): number {
    if (this.#next === WORDS_PER_BLOCK) {
      if (this.#blocks === TWO_TO_32) throw new RangeError("stream exhausted after 2^34 words");
      this.#counter[0] = this.#blocks++;
      philox4x32(this.#counter, this.#key, this.#block);
      this.#next = 0;
    }
    return this.#block[this.#next++]!;
  }
}
