// Convolutions of any filter size, stride, dilation and padding: the pixels under the filter are gathered into a
// matrix, a block of output pixels at a time, and multiplied with the filter. Also used where an image is too small
// for Winograd.

import { MASK, PLAIN, RELU, finish } from "./epilogue";
import { multiply, multiplyTransposed } from "./gemm";
import {
  COLUMNS, PANELS, STRIP, STRIPS, clearRows, columnOffset, laneMask, roundUp, rowOffset, storeLanes,
} from "./layout";

/** Output pixels worked on at a time: whole strips, and a multiple of four. */
const BLOCK: i32 = 8 * STRIP;

/**
 * Filter geometry of the call under way: set by `gatherGeometry`, so that the entry points keep a readable signature.
 */
let filterHeight: i32 = 3;
let filterWidth: i32 = 3;
let strideY: i32 = 1;
let strideX: i32 = 1;
let dilationY: i32 = 1;
let dilationX: i32 = 1;
let padTop: i32 = 1;
let padLeft: i32 = 1;

/** Sets the geometry of the calls that follow. */
export function gatherGeometry(
  height: i32, width: i32, stepY: i32, stepX: i32, spreadY: i32, spreadX: i32, top: i32, left: i32,
): void {
  filterHeight = height;
  filterWidth = width;
  strideY = stepY;
  strideX = stepX;
  dilationY = spreadY;
  dilationX = spreadX;
  padTop = top;
  padLeft = left;
}

/** Bytes of scratch memory for `gatherConvolve`. */
export function gatherConvolveScratch(k1: i32, k2: i32, columns: i32): usize {
  const taps = filterHeight * filterWidth;
  const k = (roundUp(taps * k1, 4) + roundUp(taps * k2, 4)) as usize;
  const padded = roundUp(columns, 8) as usize;
  return (padded * k + (BLOCK as usize) * k + (BLOCK as usize) * padded + padded) << 2;
}

/**
 * y = mask(relu(convolve(x1, filter1) + convolve(x2, filter2) + bias)), every part but the first optional (address 0).
 *
 * x [n, h, w, k]; y and mask [n, outH, outW, columns]; filters [.., .., k, columns]. If `transposed` it is the
 * transposed convolution (the input gradient): filters [.., .., columns, k], and the stride goes the other way.
 */
export function gatherConvolve(
  x1: usize, filter1: usize, k1: i32, x2: usize, filter2: usize, k2: i32, bias: usize, mask: usize, y: usize,
  n: i32, h: i32, w: i32, outH: i32, outW: i32, columns: i32, transposed: bool, relu: bool, scratch: usize,
): void {
  const taps = filterHeight * filterWidth;
  const offset = roundUp(taps * k1, 4);
  const k = offset + roundUp(taps * k2, 4);
  const padded = roundUp(columns, 8);
  const rowBytes = (padded as usize) << 2;
  const filters = scratch;
  const patches = filters + (k as usize) * rowBytes;
  const products = patches + (((BLOCK * k) as usize) << 2);
  const paddedBias = products + (BLOCK as usize) * rowBytes;
  memory.fill(filters, 0, patches - filters);
  memory.fill(patches, 0, products - patches);
  memory.fill(paddedBias, 0, rowBytes);
  if (bias) memory.copy(paddedBias, bias, (columns as usize) << 2);
  packFilter(filter1, k1, columns, transposed, filters, k, 0);
  if (x2) packFilter(filter2, k2, columns, transposed, filters, k, offset);
  const pixels = n * outH * outW;
  for (let first = 0; first < pixels; first += BLOCK) {
    const count = min(pixels - first, BLOCK);
    const rows = roundUp(count, STRIP);
    gatherPatches(x1, h, w, k1, outH, outW, first, count, patches, STRIPS, rows, k, transposed);
    if (x2) {
      const patches2 = patches + columnOffset(STRIPS, offset, rows);
      gatherPatches(x2, h, w, k2, outH, outW, first, count, patches2, STRIPS, rows, k, transposed);
    }
    multiply(patches, filters, products, rows, k, padded >> 3);
    for (let row = 0; row < count; ++row) {
      const at = (((first + row) * columns) as usize) << 2;
      writePixel(products + (row << 5), rows << 5, y + at, mask ? mask + at : 0, columns, paddedBias, relu);
    }
  }
}

/** A row of products in panels, `panelBytes` apart, finished, into an output pixel. */
function writePixel(
  from: usize, panelBytes: usize, to: usize, mask: usize, columns: i32, bias: usize, relu: bool,
): void {
  for (let column = 0; column < columns; column += 4) {
    const at = (column as usize) << 2;
    const product = v128.load(from + (column >> 3) * panelBytes + (at & 16));
    const value = f32x4.add(product, v128.load(bias + at));
    const lanes = columns - column;
    if (mask) storeLanes(to + at, finish(value, MASK, mask + at), lanes);
    else if (relu) storeLanes(to + at, finish(value, RELU, 0), lanes);
    else storeLanes(to + at, finish(value, PLAIN, 0), lanes);
  }
}

/** The filter as B panels [columns/8][k][8], its rows from `offset` on. */
function packFilter(
  filter: usize, channels: i32, columns: i32, transposed: bool, panels: usize, k: i32, offset: i32,
): void {
  const taps = filterHeight * filterWidth;
  let from = filter;
  for (let tap = 0; tap < taps; ++tap) {
    const outer = transposed ? columns : channels;
    const inner = transposed ? channels : columns;
    for (let i = 0; i < outer; ++i) {
      for (let j = 0; j < inner; ++j) {
        const row = offset + tap * channels + (transposed ? j : i);
        const column = transposed ? i : j;
        const to = panels + rowOffset(PANELS, row, 0) + columnOffset(PANELS, column & ~3, k);
        f32.store(to + ((column & 3) << 2), f32.load(from));
        from += 4;
      }
    }
  }
}

/**
 * The pixels under the filter for `count` output pixels from `first` on, as a matrix in the given form of `rows` rows
 * and `k` columns. Zero outside the image.
 */
function gatherPatches(
  x: usize, h: i32, w: i32, channels: i32, outH: i32, outW: i32, first: i32, count: i32,
  patches: usize, form: i32, rows: i32, k: i32, transposed: bool,
): void {
  const pixelBytes = (channels as usize) << 2;
  const imageBytes = ((h * w) as usize) * pixelBytes;
  const columnStep = columnOffset(form, 4, rows);
  for (let row = 0; row < count; ++row) {
    const pixel = first + row;
    const outX = pixel % outW;
    const outY = (pixel / outW) % outH;
    const image = x + ((pixel / outW / outH) as usize) * imageBytes;
    const to = patches + rowOffset(form, row, k);
    let index = 0;
    for (let tapY = 0; tapY < filterHeight; ++tapY) {
      const y = sourceIndex(outY, tapY, strideY, dilationY, padTop, transposed);
      for (let tapX = 0; tapX < filterWidth; ++tapX) {
        const column = sourceIndex(outX, tapX, strideX, dilationX, padLeft, transposed);
        const inside = <u32>y < <u32>h && <u32>column < <u32>w;
        copyPixel(inside ? image + ((y * w + column) as usize) * pixelBytes : 0, channels, to, index, columnStep);
        index += channels;
      }
    }
  }
}

/** Input coordinate under a tap, or -1 where a transposed convolution's stride leaves a gap. */
// @ts-ignore: decorator
@inline function sourceIndex(out: i32, tap: i32, stride: i32, dilation: i32, pad: i32, transposed: bool): i32 {
  if (!transposed) return out * stride + tap * dilation - pad;
  const scaled = out + pad - tap * dilation;
  return scaled >= 0 && scaled % stride == 0 ? scaled / stride : -1;
}

/** One pixel's channels (zeros for address 0) into a row of A, from column `index` on. */
// @ts-ignore: decorator
@inline function copyPixel(from: usize, channels: i32, to: usize, index: i32, columnStep: usize): void {
  if (((channels | index) & 3) == 0) {
    to += (index >> 2) * columnStep;
    for (let c = 0; c < channels; c += 4) {
      v128.store(to, from ? v128.load(from + (c << 2)) : f32x4.splat(0));
      to += columnStep;
    }
  } else {
    for (let c = index; c < index + channels; ++c) {
      f32.store(to + (c >> 2) * columnStep + ((c & 3) << 2), from ? f32.load(from) : 0);
      if (from) from += 4;
    }
  }
}

/** Bytes of scratch memory for `gatherFilterGradient`. */
export function gatherFilterGradientScratch(cIn: i32, cOut: i32): usize {
  const k = roundUp(filterHeight * filterWidth * cIn, 4) as usize;
  const padded = roundUp(cOut, 8) as usize;
  return (padded * k + (BLOCK as usize) * (k + padded)) << 2;
}

/** filter [.., .., cIn, cOut] = filterGradient(x1, dy1) + filterGradient(x2, dy2); the second optional (address 0). */
export function gatherFilterGradient(
  x1: usize, dy1: usize, x2: usize, dy2: usize, filter: usize,
  n: i32, h: i32, w: i32, cIn: i32, outH: i32, outW: i32, cOut: i32, scratch: usize,
): void {
  const rows = filterHeight * filterWidth * cIn;
  const k = roundUp(rows, 4);
  const rowBytes = (roundUp(cOut, 8) as usize) << 2;
  memory.fill(scratch, 0, (k as usize) * rowBytes);
  accumulateFilterGradient(x1, dy1, n, h, w, cIn, outH, outW, cOut, scratch, k);
  if (x2) accumulateFilterGradient(x2, dy2, n, h, w, cIn, outH, outW, cOut, scratch, k);
  for (let row = 0; row < rows; ++row) {
    for (let column = 0; column < cOut; column += 8) {
      const bytes = (min(cOut - column, 8) as usize) << 2;
      memory.copy(filter + ((row * cOut + column) << 2), scratch + (((column >> 3) * k + row) << 5), bytes);
    }
  }
}

function accumulateFilterGradient(
  x: usize, dy: usize, n: i32, h: i32, w: i32, cIn: i32, outH: i32, outW: i32, cOut: i32, gradient: usize, k: i32,
): void {
  const panels = roundUp(cOut, 8) >> 3;
  const patches = gradient + (((k * panels) as usize) << 5);
  const outputs = patches + (((BLOCK * k) as usize) << 2);
  memory.fill(patches, 0, outputs - patches);
  const pixels = n * outH * outW;
  for (let first = 0; first < pixels; first += BLOCK) {
    const count = min(pixels - first, BLOCK);
    const rows = roundUp(count, 4);
    gatherPatches(x, h, w, cIn, outH, outW, first, count, patches, COLUMNS, rows, k, false);
    for (let row = 0; row < rows; ++row) {
      const from = dy + ((((first + row) * cOut) as usize) << 2);
      for (let column = 0; column < panels << 3; column += 4) {
        const to = outputs + rowOffset(PANELS, row, 0) + columnOffset(PANELS, column, rows);
        v128.store(to, row < count && column < cOut ? loadLanes(from + (column << 2), cOut - column) : f32x4.splat(0));
      }
    }
    clearRows(patches, COLUMNS, count, rows, k);
    multiplyTransposed(patches, outputs, gradient, rows, k, panels);
  }
}

// @ts-ignore: decorator
@inline function loadLanes(from: usize, lanes: i32): v128 {
  const value = v128.load(from);
  return lanes >= 4 ? value : v128.and(value, laneMask(lanes));
}
