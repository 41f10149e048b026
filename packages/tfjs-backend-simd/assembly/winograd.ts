// 3x3 convolutions with stride 1 and 'same' padding, and their gradients, by Winograd F(4x4, 3x3).
//
// The image is worked through in blocks of consecutive tiles, so that a block's transformed data stay in the
// second-level cache. Two images with two filters can be convolved into one output: their channels are joined in the
// transformed domain (k = k1 + k2), so the sum costs no pass of its own.

import { multiply, multiplyTransposed } from "./gemm";
import { COLUMNS, PANELS, POINTS, STRIP, STRIPS, TILE, ceilDivide, clearRows, columnOffset, roundUp } from "./layout";
import { transformFilterGradients, transformFilters } from "./winograd-filters";
import {
  planeBytes, tileBufferBytes, transformInputTiles, transformOutputGradientTiles, transformOutputTiles,
} from "./winograd-tiles";

/** Tiles convolved at a time: few, so that their transformed data and the filter's fit the second-level cache. */
const BLOCK: i32 = 4 * STRIP;
/** Tiles of a filter gradient at a time: more, as each block reads and writes all sums. */
const GRADIENT_BLOCK: i32 = 48;

/** Bytes of scratch memory for `winogradConvolve`. */
export function winogradConvolveScratch(k1: i32, k2: i32, columns: i32): usize {
  const k = roundUp(k1, 4) + roundUp(k2, 4);
  const panels = roundUp(columns, 8);
  return (POINTS as usize) * (planeBytes(panels, k) + planeBytes(BLOCK, k) + planeBytes(BLOCK, panels)) +
    17 * ((panels as usize) << 2) + tileBufferBytes(max(k1, k2));
}

/**
 * y = mask(relu(convolve(x1, filter1) + convolve(x2, filter2) + bias)), every part but the first optional (address 0).
 *
 * x1 [n, h, w, k1], x2 [n, h, w, k2], y and mask [n, h, w, columns]; filters [3, 3, k, columns], or if `rotated`
 * [3, 3, columns, k], turned by 180 degrees (the input gradient).
 */
export function winogradConvolve(
  x1: usize, filter1: usize, k1: i32, x2: usize, filter2: usize, k2: i32, bias: usize, mask: usize, y: usize,
  n: i32, h: i32, w: i32, columns: i32, rotated: bool, relu: bool, scratch: usize,
): void {
  const offset = roundUp(k1, 4);
  const k = offset + roundUp(k2, 4);
  const paddedColumns = roundUp(columns, 8);
  const panels = paddedColumns >> 3;
  const filterPlane = planeBytes(paddedColumns, k);
  const inputPlane = planeBytes(BLOCK, k);
  const productPlane = planeBytes(BLOCK, paddedColumns);
  const filters = scratch;
  const inputs = filters + (POINTS as usize) * filterPlane;
  const products = inputs + (POINTS as usize) * inputPlane;
  const outputBuffer = products + (POINTS as usize) * productPlane;
  const inputBuffer = outputBuffer + 17 * ((paddedColumns as usize) << 2);
  let paddedBias: usize = 0;
  if (bias) {
    paddedBias = outputBuffer + 16 * ((paddedColumns as usize) << 2);
    memory.fill(paddedBias, 0, (paddedColumns as usize) << 2);
    memory.copy(paddedBias, bias, (columns as usize) << 2);
  }
  transformFilters(filter1, rotated ? columns : k1, rotated ? k1 : columns, rotated, filters, filterPlane, k, 0);
  if (x2) {
    transformFilters(filter2, rotated ? columns : k2, rotated ? k2 : columns, rotated, filters, filterPlane, k, offset);
  }
  const tiles = n * ceilDivide(h, TILE) * ceilDivide(w, TILE);
  for (let first = 0; first < tiles; first += BLOCK) {
    const count = min(tiles - first, BLOCK);
    const rows = roundUp(count, STRIP);
    transformInputTiles(x1, h, w, k1, first, count, inputs, inputPlane, STRIPS, rows, k, inputBuffer);
    if (x2) {
      const inputs2 = inputs + columnOffset(STRIPS, offset, rows);
      transformInputTiles(x2, h, w, k2, first, count, inputs2, inputPlane, STRIPS, rows, k, inputBuffer);
    }
    for (let point: usize = 0; point < <usize>POINTS; ++point) {
      multiply(
        inputs + point * inputPlane, filters + point * filterPlane, products + point * productPlane,
        rows, k, panels,
      );
    }
    transformOutputTiles(
      products, productPlane, rows, y, h, w, columns, first, count, paddedBias, relu, mask, outputBuffer,
    );
  }
}

/**
 * Whether the channels of the output, not of the input, are the rows of the sums: rows are padded to a multiple of 4,
 * columns to one of 8, which makes a difference for few channels.
 */
function outputFirst(cIn: i32, cOut: i32): bool {
  return roundUp(cOut, 4) * roundUp(cIn, 8) < roundUp(cIn, 4) * roundUp(cOut, 8);
}

/** Bytes of scratch memory for `winogradFilterGradient`. */
export function winogradFilterGradientScratch(cIn: i32, cOut: i32): usize {
  const swap = outputFirst(cIn, cOut);
  const k = roundUp(swap ? cOut : cIn, 4);
  const columns = roundUp(swap ? cIn : cOut, 8);
  return (POINTS as usize) *
    (planeBytes(columns, k) + planeBytes(GRADIENT_BLOCK, k) + planeBytes(GRADIENT_BLOCK, columns)) +
    tileBufferBytes(max(cIn, cOut));
}

/** filter [3, 3, cIn, cOut] = filterGradient(x1, dy1) + filterGradient(x2, dy2); the second optional (address 0). */
export function winogradFilterGradient(
  x1: usize, dy1: usize, x2: usize, dy2: usize, filter: usize,
  n: i32, h: i32, w: i32, cIn: i32, cOut: i32, scratch: usize,
): void {
  const swap = outputFirst(cIn, cOut);
  const k = roundUp(swap ? cOut : cIn, 4);
  const columns = roundUp(swap ? cIn : cOut, 8);
  const plane = planeBytes(columns, k);
  memory.fill(scratch, 0, (POINTS as usize) * plane);
  accumulateFilterGradient(x1, dy1, n, h, w, cIn, cOut, swap, k, columns, scratch);
  if (x2) accumulateFilterGradient(x2, dy2, n, h, w, cIn, cOut, swap, k, columns, scratch);
  if (swap) transformFilterGradients(scratch, plane, k, filter, cOut, cIn, 1, cOut);
  else transformFilterGradients(scratch, plane, k, filter, cIn, cOut, cOut, 1);
}

function accumulateFilterGradient(
  x: usize, dy: usize, n: i32, h: i32, w: i32, cIn: i32, cOut: i32, swap: bool, k: i32, columns: i32, sums: usize,
): void {
  const sumPlane = planeBytes(columns, k);
  const aPlane = planeBytes(GRADIENT_BLOCK, k);
  const bPlane = planeBytes(GRADIENT_BLOCK, columns);
  const a = sums + (POINTS as usize) * sumPlane;
  const b = a + (POINTS as usize) * aPlane;
  const buffer = b + (POINTS as usize) * bPlane;
  const tiles = n * ceilDivide(h, TILE) * ceilDivide(w, TILE);
  for (let first = 0; first < tiles; first += GRADIENT_BLOCK) {
    const count = min(tiles - first, GRADIENT_BLOCK);
    const rows = roundUp(count, 4);
    if (swap) {
      transformInputTiles(x, h, w, cIn, first, count, b, bPlane, PANELS, rows, 0, buffer);
      transformOutputGradientTiles(dy, h, w, cOut, first, count, a, aPlane, COLUMNS, rows, buffer);
    } else {
      transformInputTiles(x, h, w, cIn, first, count, a, aPlane, COLUMNS, rows, 0, buffer);
      transformOutputGradientTiles(dy, h, w, cOut, first, count, b, bPlane, PANELS, rows, buffer);
    }
    for (let point: usize = 0; point < <usize>POINTS; ++point) {
      if (count < rows) {
        clearRows(a + point * aPlane, COLUMNS, count, rows, k);
        clearRows(b + point * bPlane, PANELS, count, rows, columns);
      }
      multiplyTransposed(a + point * aPlane, b + point * bPlane, sums + point * sumPlane, rows, k, columns >> 3);
    }
  }
}
