/** The inner loop of blurring (assembly/correlate.ts) with the memory that it works in. */
import { wasmBase64 } from "./correlate.generated.js";

const PAGE_BYTES = 65_536;

/** Where the work area begins: address 0 stays unused. */
const START = 64;

/** Rows of an image that are correlated in one go. */
export interface RowBlock {
  /** All input that the rows need; the first pixel of the first row at 0. */
  readonly source: Float32Array;
  /** Values from one row's first pixel to the next one's. */
  readonly stride: number;
  readonly weights: Float64Array;
  /** For each weight, how far its pixel is from the first one, in values. */
  readonly offsets: Int32Array;
  /** Values in a row of the result. */
  readonly length: number;
  readonly rows: number;
}

type CorrelateRows = (
  source: number,
  stride: number,
  weights: number,
  offsets: number,
  taps: number,
  target: number,
  length: number,
  rows: number,
) => void;

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of the WebAssembly API that is used: its types come with the DOM's, which Node programs do not load. */
interface WasmApi {
  Memory: new (size: { initial: number }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: { env: { memory: WasmMemory } },
  ) => { readonly exports: { readonly correlateRows: CorrelateRows } };
}

export class RowCorrelator {
  readonly #memory: WasmMemory;
  readonly #correlateRows: CorrelateRows;

  constructor() {
    const { WebAssembly } = globalThis as unknown as { WebAssembly: WasmApi };
    this.#memory = new WebAssembly.Memory({ initial: 1 });
    const bytes = Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: this.#memory } });
    this.#correlateRows = exports.correlateRows;
  }

  /** result[r · length + i] = Σ_t weights[t] · source[r · stride + offsets[t] + i], valid until the next call. */
  correlate({ source, stride, weights, offsets, length, rows }: RowBlock): Float32Array {
    const atOffsets = START + weights.byteLength;
    const atSource = atOffsets + offsets.byteLength;
    const atTarget = atSource + source.byteLength;
    this.#reserve(atTarget + 4 * length * rows);
    const { buffer } = this.#memory;
    new Float64Array(buffer, START).set(weights);
    new Int32Array(buffer, atOffsets).set(offsets.map((values) => 4 * values));
    new Float32Array(buffer, atSource).set(source);
    this.#correlateRows(atSource, 4 * stride, START, atOffsets, weights.length, atTarget, length, rows);
    return new Float32Array(buffer, atTarget, length * rows);
  }

  #reserve(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
  }
}
