// The WebAssembly module and its memory.

import { wasmBase64 } from "./kernels.generated.js";

/** Pages of 65,536 bytes that a 32-bit WebAssembly memory can have: 4 GiB. */
const MAXIMUM_PAGES = 65_536;

/** The module's own data (transform intermediates, tables) lies below this address. */
export const TENSORS_START = 65_536;

export const MAXIMUM_BYTES = MAXIMUM_PAGES * 65_536;

type Unary = (x: number, out: number, count: number) => void;
type Binary = (
  a: number,
  b: number,
  out: number,
  rows: number,
  inner: number,
  aRowBytes: number,
  bRowBytes: number,
  aStepBytes: number,
  bStepBytes: number,
) => void;

/** Entry points of assembly/index.ts. Addresses and counts are numbers; booleans are 0 or 1. */
export interface WasmKernels {
  readonly addFloat: Binary;
  readonly addInteger: Binary;
  readonly subtractFloat: Binary;
  readonly subtractInteger: Binary;
  readonly multiplyFloat: Binary;
  readonly multiplyInteger: Binary;
  readonly divideFloat: Binary;
  readonly maximumFloat: Binary;
  readonly maximumInteger: Binary;
  readonly minimumFloat: Binary;
  readonly minimumInteger: Binary;
  readonly greaterFloat: Binary;
  readonly greaterInteger: Binary;
  readonly greaterEqualFloat: Binary;
  readonly greaterEqualInteger: Binary;
  readonly lessFloat: Binary;
  readonly lessInteger: Binary;
  readonly equalFloat: Binary;
  readonly equalInteger: Binary;
  readonly logicalAnd: Binary;
  select(condition: number, a: number, b: number, out: number, count: number): void;

  readonly negate: Unary;
  readonly absolute: Unary;
  readonly square: Unary;
  readonly squareRoot: Unary;
  readonly relu: Unary;
  readonly sign: Unary;
  readonly exponential: Unary;
  readonly logarithm: Unary;
  readonly floatToInteger: Unary;
  readonly integerToFloat: Unary;
  readonly booleanToInteger: Unary;
  readonly booleanToFloat: Unary;
  readonly floatToBoolean: Unary;
  readonly integerToBoolean: Unary;
  step(x: number, out: number, count: number, alpha: number): void;
  clip(x: number, out: number, count: number, low: number, high: number): void;

  sumInner(x: number, out: number, outer: number, reduced: number, divisor: number): void;
  sumRows(x: number, out: number, outer: number, reduced: number, inner: number, divisor: number): void;
  sumIntegers(x: number, out: number, outer: number, reduced: number, inner: number): void;
  maximumRows(x: number, out: number, outer: number, reduced: number, inner: number): void;
  minimumRows(x: number, out: number, outer: number, reduced: number, inner: number): void;

  fill(out: number, count: number, value: number): void;
  copyStrided(
    x: number,
    out: number,
    elementBytes: number,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
    x0: number,
    x1: number,
    x2: number,
    x3: number,
    out0: number,
    out1: number,
    out2: number,
    out3: number,
  ): void;

  reluGradient(dy: number, y: number, out: number, count: number): void;
  axpy(x: number, y: number, out: number, count: number, a: number): void;
  l1Gradient(prediction: number, target: number, out: number, count: number, scale: number): void;
  l1Loss(prediction: number, target: number, out: number, count: number): void;

  gatherGeometry(
    filterHeight: number,
    filterWidth: number,
    strideY: number,
    strideX: number,
    dilationY: number,
    dilationX: number,
    padTop: number,
    padLeft: number,
  ): void;
  gatherConvolveScratch(k1: number, k2: number, columns: number): number;
  gatherConvolve(
    x1: number,
    filter1: number,
    k1: number,
    x2: number,
    filter2: number,
    k2: number,
    bias: number,
    mask: number,
    y: number,
    n: number,
    h: number,
    w: number,
    outH: number,
    outW: number,
    columns: number,
    transposed: number,
    relu: number,
    scratch: number,
  ): void;
  gatherFilterGradientScratch(cIn: number, cOut: number): number;
  gatherFilterGradient(
    x1: number,
    dy1: number,
    x2: number,
    dy2: number,
    filter: number,
    n: number,
    h: number,
    w: number,
    cIn: number,
    outH: number,
    outW: number,
    cOut: number,
    scratch: number,
  ): void;

  winogradConvolveScratch(k1: number, k2: number, columns: number): number;
  winogradConvolve(
    x1: number,
    filter1: number,
    k1: number,
    x2: number,
    filter2: number,
    k2: number,
    bias: number,
    mask: number,
    y: number,
    n: number,
    h: number,
    w: number,
    columns: number,
    rotated: number,
    relu: number,
    scratch: number,
  ): void;
  winogradFilterGradientScratch(cIn: number, cOut: number): number;
  winogradFilterGradient(
    x1: number,
    dy1: number,
    x2: number,
    dy2: number,
    filter: number,
    n: number,
    h: number,
    w: number,
    cIn: number,
    cOut: number,
    scratch: number,
  ): void;
}

/** The part of WebAssembly.Memory that is used. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** Adds pages of 65,536 bytes; throws where there are none. */
  grow(pages: number): number;
}

/** The part of the WebAssembly API that is used: its types come with the DOM's, which Node programs do not load. */
interface WasmApi {
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** The module instantiated over a memory of its own. Every thread that imports this package has one. */
export function instantiate(): { kernels: WasmKernels; memory: WasmMemory } {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WasmApi };
  const memory = new WebAssembly.Memory({ initial: 2, maximum: MAXIMUM_PAGES });
  const bytes = Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return { kernels: instance.exports as WasmKernels, memory };
}
