/**
 * Sums of gradients whose bits depend neither on order nor on grouping.
 *
 * Floating-point addition rounds, so the usual sum depends on the order of its terms. A sum that is never rounded does
 * not: addition of real numbers is associative. Each float32 element x is therefore split into two float64 parts that are
 * multiples of a step fixed beforehand, the same for all gradients:
 *
 *     hi(x) = (x + 1.5·2^32) − 1.5·2^32            a multiple of 2^-20
 *     lo(x) = ((x − hi(x)) + 1.5·2^-8) − 1.5·2^-8  a multiple of 2^-60
 *     mean  = (Σ hi + Σ lo) / n                    all in float64
 *
 * Σ hi and Σ lo are exact, so any tree of partial sums (a worker's own tasks first, then the workers') has the same bits,
 * and a term is taken out again without a trace. This is the pre-rounding of Demmel and Nguyen (Fast reproducible
 * floating-point summation, ARITH 21, 2013), as in ReproBLAS (Ahrens, Demmel, Nguyen, Algorithms for efficient
 * reproducible floating point summation, ACM TOMS 46(3), 2020), with two fixed bins in place of theirs, which move with
 * the largest term: gradients are bounded beforehand.
 *
 * Why it is exact, for |x| ≤ 2^20 and at most n = 4096 = 2^12 terms:
 *  - x + 1.5·2^32 lies in [2^32, 2^33), where float64 values are 2^-20 apart, so the sum is rounded to a multiple of
 *    2^-20, and the difference, below 2^53 such steps, is exact: hi is the multiple nearest to x, and |x − hi| ≤ 2^-21.
 *  - x − hi is exact: if |x| ≥ 8, x is itself a multiple of 2^-20 and the difference is 0; if |x| < 2^-21, hi is 0 and the
 *    difference x; else x is a multiple of 2^-44, and so is the difference, at most 2^23 such steps.
 *  - In the same way lo is the multiple of 2^-60 nearest to x − hi, since float64 values in [2^-8, 2^-7) are 2^-60 apart,
 *    and |lo| ≤ 2^-21. What is lost, at most 2^-61, depends on x alone.
 *  - Σ hi is a multiple of 2^-20 with |Σ hi| ≤ 2^12 · 2^20: at most 2^52 steps. Σ lo is a multiple of 2^-60 with
 *    |Σ lo| ≤ 2^12 · 2^-21: at most 2^51 steps. float64 holds every integer up to 2^53, so no addition rounds.
 *  - Zeros: hi and lo of 0 and −0 are +0, and a sum that starts at +0 never becomes −0. So equal values are equal bits.
 *  - hi(−x) = −hi(x) and lo(−x) = −lo(x), as ties go to the even multiple: subtracting is adding −x.
 *
 * A sum lives in the memory of its `ExactSums` until it is released. The loops are strict WebAssembly SIMD, whose bits
 * are the same on every machine.
 */
import { BLOCK, type SumAddress, type SumBytes, SumMemory } from "./sum-memory.js";

export { mostSums, type SumBytes } from "./sum-memory.js";

/** Largest magnitude of a gradient's element. */
export const LARGEST_ELEMENT = 2 ** 20;

/** Most gradients in a sum. */
export const LARGEST_COUNT = 4096;

/** Why something was not added: a short code for counters, a sentence for people that goes on from "the result". */
export interface SumRejection {
  readonly code: "size" | "count" | "not-finite" | "element" | "norm";
  readonly reason: string;
}

/** A norm of a sum may exceed the sum of the norms by what was rounded in computing them. */
const NORM_ROUNDING = 1 + 2 ** -30;

/** The exact sums of one gradient length, in one WebAssembly memory that their number bounds. */
export class ExactSums {
  readonly #memory: SumMemory;

  /**
   * @param size elements of a gradient
   * @param limit sums that may be open at a time; each takes 16 bytes an element
   * @throws RangeError when one is not a positive integer, or all do not fit into 4 GiB
   */
  constructor(size: number, limit: number) {
    this.#memory = new SumMemory(size, limit);
  }

  /** Sums that are open. */
  get inUse(): number {
    return this.#memory.inUse;
  }

  /** Bytes held: what the most sums needed that were ever open at a time. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /**
   * A sum of no gradients; its owner releases it.
   * @throws RangeError when as many as `limit` are open
   */
  open(): ExactSum {
    return new ExactSum(this.#memory);
  }
}

/** The exact sum of some gradients; made by `ExactSums.open`. */
export class ExactSum {
  readonly #memory: SumMemory;
  #address: SumAddress | undefined;
  #count = 0;

  constructor(memory: SumMemory) {
    this.#memory = memory;
    this.#address = memory.allocate();
  }

  /** Gradients in the sum. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a gradient if all its elements are finite and at most 2^20 in magnitude and its L2 norm is at most `maxNorm`.
   * The norm is computed in float64 in one order on every machine.
   *
   * @param gradient float32, little-endian, at any alignment
   * @returns why it was not added, with the sum left as it was, or `undefined`
   */
  add(gradient: Uint8Array, maxNorm = Number.POSITIVE_INFINITY): SumRejection | undefined {
    const rejection = validateBytes(gradient, 4, this.#memory.size) ?? validateCount(1, this.#count);
    if (rejection) return rejection;
    const pass: Pass = (sum, from, negate) => this.#memory.addGradient(sum, gradient, from, negate);
    return this.#enter(1, pass, maxNorm, () => validateElement(gradient));
  }

  /**
   * Adds the sum of a group that came from elsewhere, if it can be one: Σ hi and Σ lo are multiples of 2^-20 and 2^-60, at
   * most count · 2^20 and count · 2^-21 in magnitude, and the norm of their sum is at most count · `maxNorm`, which
   * holds whenever each of its gradients keeps to `maxNorm`.
   *
   * @returns why it was not added, with the sum left as it was, or `undefined`
   */
  addGroup(group: SumBytes, maxNorm = Number.POSITIVE_INFINITY): SumRejection | undefined {
    const { size } = this.#memory;
    const rejection =
      validateBytes(group.high, 8, size) ??
      validateBytes(group.low, 8, size) ??
      validateCount(group.count, this.#count);
    if (rejection) return rejection;
    const pass: Pass = (sum, from, negate) => this.#memory.addSums(sum, group, from, negate);
    return this.#enter(group.count, pass, group.count * maxNorm * NORM_ROUNDING, () => validateSums(group));
  }

  /**
   * Takes out a gradient that was added, by itself or in a group; the sum is then as if it had never been.
   * @throws RangeError when it cannot have been added; the sum is left as it was
   */
  subtract(gradient: Uint8Array): void {
    const rejection = validateBytes(gradient, 4, this.#memory.size);
    const pass: Pass = (sum, from, negate) => this.#memory.addGradient(sum, gradient, from, !negate);
    this.#takeOut(1, rejection, pass, () => validateElement(gradient));
  }

  /** Takes out a group, or the sum of any gradients that were added; otherwise like `subtract`. */
  subtractGroup(group: SumBytes): void {
    const { size } = this.#memory;
    const rejection =
      validateBytes(group.high, 8, size) ?? validateBytes(group.low, 8, size) ?? validateCount(group.count, 0);
    const pass: Pass = (sum, from, negate) => this.#memory.addSums(sum, group, from, !negate);
    this.#takeOut(group.count, rejection, pass, () => validateSums(group));
  }

  /**
   * The mean of all gradients in several sums of the same length.
   *
   * @param target where to write it
   * @throws RangeError when all sums are empty
   */
  static mean(sums: readonly ExactSum[], target: Float64Array): Float64Array {
    const [first, ...others] = sums.map((sum) => sum.#memory.arrays(sum.#open()));
    const count = sums.reduce((all, sum) => all + sum.#count, 0);
    if (count === 0) throw new RangeError("a sum of no gradients has no mean");
    const low = first!.low.slice();
    target.set(first!.high);
    for (const other of others) {
      for (let i = 0; i < low.length; i++) target[i]! += other.high[i]!;
      for (let i = 0; i < low.length; i++) low[i]! += other.low[i]!;
    }
    for (let i = 0; i < low.length; i++) target[i] = (target[i]! + low[i]!) / count;
    return target;
  }

  /**
   * (Σ hi + Σ lo) / count.
   *
   * @param target where to write it; a new array by default
   * @throws RangeError when the sum is empty, or the target has another length
   */
  mean(target = new Float64Array(this.#memory.size)): Float64Array {
    if (target.length !== this.#memory.size) {
      throw new RangeError(`a mean has ${this.#memory.size} elements, not ${target.length}`);
    }
    return ExactSum.mean([this], target);
  }

  /** A copy of the sum as `addGroup` takes it. */
  toBytes(): SumBytes {
    const { high, low } = this.#memory.arrays(this.#open());
    return { high: copyOfBytes(high), low: copyOfBytes(low), count: this.#count };
  }

  /** Makes it a sum of no gradients again. */
  clear(): void {
    this.#memory.clear(this.#open());
    this.#count = 0;
  }

  /** Gives the memory back. Nothing else may be called afterwards, but this again. */
  release(): void {
    if (this.#address === undefined) return;
    this.#memory.release(this.#address);
    this.#address = undefined;
    this.#count = 0;
  }

  /** Adds in one pass over the blocks, and takes out what was added if something turns up that is refused. */
  #enter(terms: number, pass: Pass, maxNorm: number, rejection: () => SumRejection): SumRejection | undefined {
    const sum = this.#open();
    let end = 0;
    let allowed = true;
    this.#memory.startNorm();
    for (; allowed && end < this.#memory.size; end += BLOCK) allowed = pass(sum, end, false);
    const { norm } = this.#memory;
    if (allowed && norm <= maxNorm) {
      this.#count += terms;
      return undefined;
    }
    for (let from = 0; from < end; from += BLOCK) pass(sum, from, true);
    if (!allowed) return rejection();
    return { code: "norm", reason: `has norm ${norm.toPrecision(4)}, above the bound ${maxNorm.toPrecision(4)}` };
  }

  #takeOut(terms: number, unfit: SumRejection | undefined, pass: Pass, rejection: () => SumRejection): void {
    if (terms > this.#count) throw new RangeError(`cannot take ${terms} out of a sum of ${this.#count} gradients`);
    const found = unfit ?? this.#enter(-terms, pass, Number.POSITIVE_INFINITY, rejection);
    if (found) throw new RangeError(`cannot take out what was never added: it ${found.reason}`);
  }

  #open(): SumAddress {
    if (this.#address === undefined) throw new RangeError("this sum was released");
    return this.#address;
  }
}

/** Adds (or takes out) the block of a source that begins at `from`; returns whether all in it is allowed. */
type Pass = (sum: SumAddress, from: number, negate: boolean) => boolean;

function validateBytes(bytes: Uint8Array, elementBytes: number, size: number): SumRejection | undefined {
  if (bytes.byteLength === size * elementBytes) return undefined;
  return { code: "size", reason: `has ${bytes.byteLength / elementBytes} elements, not ${size}` };
}

function validateCount(count: number, present: number): SumRejection | undefined {
  if (Number.isInteger(count) && count >= 1 && present + count <= LARGEST_COUNT) return undefined;
  return { code: "count", reason: `is of ${count} gradients, where 1 to ${LARGEST_COUNT - present} can be added` };
}

/** Names the first element that is not allowed. */
function validateElement(gradient: Uint8Array): SumRejection {
  const view = new DataView(gradient.buffer, gradient.byteOffset, gradient.byteLength);
  let at = 0;
  while (Math.abs(view.getFloat32(at, true)) <= LARGEST_ELEMENT) at += 4;
  return validateValue(view.getFloat32(at, true), at / 4, "gradient");
}

function validateSums({ high, low, count }: SumBytes): SumRejection {
  const highs = new DataView(high.buffer, high.byteOffset, high.byteLength);
  const lows = new DataView(low.buffer, low.byteOffset, low.byteLength);
  const fits = (value: number, largest: number, steps: number) =>
    Math.abs(value) <= count * largest && Number.isInteger(value * steps);
  for (let at = 0; ; at += 8) {
    const [hi, lo] = [highs.getFloat64(at, true), lows.getFloat64(at, true)];
    if (!fits(hi, LARGEST_ELEMENT, 2 ** 20)) return validateValue(hi, at / 8, "sum of high parts");
    if (!fits(lo, 2 ** -21, 2 ** 60)) return validateValue(lo, at / 8, "sum of low parts");
  }
}

function validateValue(value: number, element: number, what: string): SumRejection {
  const where = `has a ${what} that is ${value} at element ${element}`;
  if (!Number.isFinite(value)) return { code: "not-finite", reason: where };
  const bound = what === "gradient" ? ", above the bound 2^20" : ", which no sum of gradients within 2^20 gives";
  return { code: "element", reason: where + bound };
}

function copyOfBytes(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
}
