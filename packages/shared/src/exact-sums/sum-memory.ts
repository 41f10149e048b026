/** The kernels of exact sums (assembly/exact-sums.ts) with the memory that they work in. */
import { wasmBase64 } from "./exact-sums.generated.js";

/** Elements that are taken in at a time: they stay in the processor's first cache while they are checked and added. */
export const BLOCK = 2048;

const PAGE_BYTES = 65_536;
const LARGEST_PAGES = 65_536;

/** The kernels take eight elements at a time. */
const LANES = 8;

/** Where the kernels keep the sums of squares, eight float64, and where a block is copied to: two float64 arrays or one float32. */
const SQUARES = 64;
const STAGE = SQUARES + 8 * LANES;
const SUMS = STAGE + 2 * 8 * BLOCK;

interface Kernels {
  addGradient(source: number, high: number, low: number, squares: number, length: number, negate: number): number;
  addSums(
    sourceHigh: number,
    sourceLow: number,
    high: number,
    low: number,
    squares: number,
    length: number,
    negate: number,
    terms: number,
  ): number;
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of the WebAssembly API that is used: its types come with the DOM's, which Node programs do not load. */
interface WasmApi {
  Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => { readonly exports: Kernels };
}

/** Sums of `size` elements that WebAssembly can address. */
export function mostSums(size: number): number {
  return Math.floor((LARGEST_PAGES * PAGE_BYTES - SUMS) / (2 * 8 * wholeLanes(size)));
}

/** Two arrays of float64, Σ hi and Σ lo, by the address of the first; the second follows it. */
export type SumAddress = number;

/**
 * One WebAssembly memory for the sums of gradients of one length. It holds at most `limit` sums, grows when more are in
 * use than ever before and hands out again what was released.
 */
export class SumMemory {
  /** Elements of a gradient. */
  readonly size: number;
  readonly #limit: number;
  /** Bytes of one array of a sum, filled up to whole lanes. */
  readonly #arrayBytes: number;
  readonly #memory: WasmMemory;
  readonly #kernels: Kernels;
  readonly #released: SumAddress[] = [];
  /** Sums that there is room for. */
  #room = 0;
  #stage: Uint8Array;
  #squares: Float64Array;

  /** @throws RangeError when size or limit is not a positive integer, or WebAssembly cannot address that much */
  constructor(size: number, limit: number) {
    if (!(Number.isInteger(size) && size > 0 && Number.isInteger(limit) && limit > 0)) {
      throw new RangeError(`no memory for ${limit} sums of ${size} elements: expected positive integers`);
    }
    this.size = size;
    this.#limit = limit;
    this.#arrayBytes = 8 * wholeLanes(size);
    const maximum = pages(SUMS + limit * 2 * this.#arrayBytes);
    if (maximum > LARGEST_PAGES) throw new RangeError(`${limit} sums of ${size} elements do not fit into 4 GiB`);
    const { WebAssembly } = globalThis as unknown as { WebAssembly: WasmApi };
    this.#memory = new WebAssembly.Memory({ initial: pages(SUMS), maximum });
    const module = new WebAssembly.Module(Buffer.from(wasmBase64, "base64"));
    this.#kernels = new WebAssembly.Instance(module, { env: { memory: this.#memory } }).exports;
    [this.#stage, this.#squares] = this.#views();
  }

  /** Bytes that the memory has; it never has fewer again. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Sums that are allocated. */
  get inUse(): number {
    return this.#room - this.#released.length;
  }

  /**
   * A sum of nothing.
   * @throws RangeError when `limit` sums are in use
   */
  allocate(): SumAddress {
    const released = this.#released.pop();
    if (released !== undefined) {
      this.clear(released);
      return released;
    }
    if (this.#room === this.#limit) throw new RangeError(`all ${this.#limit} sums are in use: release one first`);
    const address = SUMS + this.#room * 2 * this.#arrayBytes;
    this.#reserve(address + 2 * this.#arrayBytes);
    this.#room++;
    return address;
  }

  release(sum: SumAddress): void {
    this.#released.push(sum);
  }

  clear(sum: SumAddress): void {
    new Uint8Array(this.#memory.buffer, sum, 2 * this.#arrayBytes).fill(0);
  }

  /** Σ hi and Σ lo, valid until the sum changes or another one is allocated. */
  arrays(sum: SumAddress): { readonly high: Float64Array; readonly low: Float64Array } {
    const { buffer } = this.#memory;
    return {
      high: new Float64Array(buffer, sum, this.size),
      low: new Float64Array(buffer, sum + this.#arrayBytes, this.size),
    };
  }

  /** Forgets the squares of what was added so far. */
  startNorm(): void {
    this.#squares.fill(0);
  }

  /** The L2 norm of what was added since `startNorm`: eight sums of every eighth element, then the sum of these in pairs. */
  get norm(): number {
    const [a, b, c, d, e, f, g, h] = this.#squares as unknown as FixedEight;
    return Math.sqrt(a + b + (c + d) + (e + f + (g + h)));
  }

  /**
   * Adds (or takes out) up to a block of a gradient.
   *
   * @param gradient float32, little-endian, at any alignment
   * @param from the block's first element, a multiple of `BLOCK`
   * @returns whether all its elements are allowed; those that are not are left out
   */
  addGradient(sum: SumAddress, gradient: Uint8Array, from: number, negate: boolean): boolean {
    const length = this.#copyIn(gradient, from, 4, 0);
    const high = sum + 8 * from;
    return this.#kernels.addGradient(STAGE, high, high + this.#arrayBytes, SQUARES, length, Number(negate)) !== 0;
  }

  /** The same for a sum of `terms` gradients: float64, little-endian, at any alignment. */
  addSums(sum: SumAddress, source: SumBytes, from: number, negate: boolean): boolean {
    const length = this.#copyIn(source.high, from, 8, 0);
    this.#copyIn(source.low, from, 8, 8 * BLOCK);
    const high = sum + 8 * from;
    const low = high + this.#arrayBytes;
    const addresses = [STAGE, STAGE + 8 * BLOCK, high, low, SQUARES] as const;
    return this.#kernels.addSums(...addresses, length, Number(negate), source.count) !== 0;
  }

  /** Copies a block's elements to `offset` in the stage and fills up the last lanes; returns their number with those. */
  #copyIn(source: Uint8Array, from: number, elementBytes: number, offset: number): number {
    const until = Math.min(from + BLOCK, this.size);
    this.#stage.set(source.subarray(elementBytes * from, elementBytes * until), offset);
    const length = wholeLanes(until - from);
    this.#stage.fill(0, offset + elementBytes * (until - from), offset + elementBytes * length);
    return length;
  }

  #reserve(bytes: number): void {
    const missing = pages(bytes) - this.#memory.buffer.byteLength / PAGE_BYTES;
    if (missing <= 0) return;
    this.#memory.grow(missing);
    [this.#stage, this.#squares] = this.#views();
  }

  #views(): [Uint8Array, Float64Array] {
    const { buffer } = this.#memory;
    return [new Uint8Array(buffer, STAGE, SUMS - STAGE), new Float64Array(buffer, SQUARES, LANES)];
  }
}

/** The exact sum of `count` gradients as it travels: Σ hi and Σ lo, little-endian float64. */
export interface SumBytes {
  readonly high: Uint8Array;
  readonly low: Uint8Array;
  readonly count: number;
}

type FixedEight = readonly [number, number, number, number, number, number, number, number];

function wholeLanes(elements: number): number {
  return Math.ceil(elements / LANES) * LANES;
}

function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}
