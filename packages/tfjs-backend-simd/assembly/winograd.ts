// 3x3 convolutions with stride 1 and 'same' padding, and their gradients, by Winograd F(4x4, 3x3).
//
// The image is worked through in blocks of consecutive tiles, so that a block's transformed data stay in the second-level
// cache. Two images with two filters can be convolved into one output: their channels are joined in the transformed
// domain (k = k1 + k2), so the sum costs no pass of its own.

import { multiply, multiplyTransposed } from "./gemm";
import { POINTS, STRIP, TILE, ceilDivide, roundUp } from "./layout";
import { transformFilterGradients, transformFilters } from "./winograd-filters";
import { planeBytes, transformInputTiles, transformOutputGradientTiles, transformOutputTiles } from "./winograd-tiles";

/** Tiles convolved at a time: few, so that their transformed data and the filter's fit the second-level cache. */
const BLOCK: i32 = 4 * STRIP;
/** Tiles of a filter gradient at a time: more, as each block reads and writes all sums. */
const GRADIENT_BLOCK: i32 = 32;

/** Bytes of scratch memory for `winogradConvolve`. */
export function winogradConvolveScratch(k1: i32, k2: i32, columns: i32): usize {
  const k = roundUp(k1, 4) + roundUp(k2, 4);
  const panels = roundUp(columns, 8);
  return (POINTS as usize) * (planeBytes(panels, k) + planeBytes(BLOCK, k) + planeBytes(BLOCK, panels)) +
    17 * ((panels as usize) << 2);
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
  const buffer = products + (POINTS as usize) * productPlane;
  let paddedBias: usize = 0;
  if (bias) {
    paddedBias = buffer + 16 * ((paddedColumns as usize) << 2);
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
    const stripBytes = (k * STRIP) << 2;
    transformInputTiles(x1, h, w, k1, first, count, inputs, inputPlane, STRIP, stripBytes, STRIP << 4);
    if (x2) {
      const inputs2 = inputs + ((offset * STRIP) << 2);
      transformInputTiles(x2, h, w, k2, first, count, inputs2, inputPlane, STRIP, stripBytes, STRIP << 4);
    }
    for (let point: usize = 0; point < <usize>POINTS; ++point) {
      multiply(
        inputs + point * inputPlane, filters + point * filterPlane, products + point * productPlane,
        rows, k, panels,
      );
    }
    transformOutputTiles(
      products, productPlane, rows, y, h, w, columns, first, count, paddedBias, relu, mask, buffer,
    );
  }
}

/** Bytes of scratch memory for `winogradFilterGradient`. */
export function winogradFilterGradientScratch(cIn: i32, cOut: i32): usize {
  const k = roundUp(cIn, 4);
  const columns = roundUp(cOut, 8);
  return (POINTS as usize) * (planeBytes(columns, k) + planeBytes(GRADIENT_BLOCK, k) + planeBytes(GRADIENT_BLOCK, columns));
}

/** filter [3, 3, cIn, cOut] = filterGradient(x1, dy1) + filterGradient(x2, dy2); the second optional (address 0). */
export function winogradFilterGradient(
  x1: usize, dy1: usize, x2: usize, dy2: usize, filter: usize,
  n: i32, h: i32, w: i32, cIn: i32, cOut: i32, scratch: usize,
): void {
  const k = roundUp(cIn, 4);
  const columns = roundUp(cOut, 8);
  const gradientPlane = planeBytes(columns, k);
  const inputPlane = planeBytes(GRADIENT_BLOCK, k);
  const inputs = scratch + (POINTS as usize) * gradientPlane;
  const outputs = inputs + (POINTS as usize) * inputPlane;
  memory.fill(scratch, 0, (POINTS as usize) * gradientPlane);
  accumulateFilterGradient(x1, dy1, n, h, w, cIn, cOut, scratch, gradientPlane, inputs, inputPlane, outputs);
  if (x2) accumulateFilterGradient(x2, dy2, n, h, w, cIn, cOut, scratch, gradientPlane, inputs, inputPlane, outputs);
  transformFilterGradients(scratch, gradientPlane, k, filter, cIn, cOut);
}

function accumulateFilterGradient(
  x: usize, dy: usize, n: i32, h: i32, w: i32, cIn: i32, cOut: i32,
  gradients: usize, gradientPlane: usize, inputs: usize, inputPlane: usize, outputs: usize,
): void {
  const k = roundUp(cIn, 4);
  const columns = roundUp(cOut, 8);
  const outputPlane = planeBytes(GRADIENT_BLOCK, columns);
  const tiles = n * ceilDivide(h, TILE) * ceilDivide(w, TILE);
  for (let first = 0; first < tiles; first += GRADIENT_BLOCK) {
    const count = min(tiles - first, GRADIENT_BLOCK);
    const rows = roundUp(count, 4);
    if (count < rows) clearLastRows(count, rows, inputs, inputPlane, k, outputs, outputPlane, columns);
    transformInputTiles(x, h, w, cIn, first, count, inputs, inputPlane, rows, 0, rows << 4);
    transformOutputGradientTiles(dy, h, w, cOut, first, count, rows, outputs, outputPlane);
    for (let point: usize = 0; point < <usize>POINTS; ++point) {
      multiplyTransposed(
        inputs + point * inputPlane, outputs + point * outputPlane, gradients + point * gradientPlane,
        rows, k, columns >> 3,
      );
    }
  }
}

/** Zeroes the rows that round a last block up to a multiple of four: they are summed over. */
function clearLastRows(
  count: i32, rows: i32, inputs: usize, inputPlane: usize, k: i32, outputs: usize, outputPlane: usize, columns: i32,
): void {
  for (let point: usize = 0; point < <usize>POINTS; ++point) {
    for (let column = 0; column < k >> 2; ++column) {
      memory.fill(inputs + point * inputPlane + ((column * rows + count) << 4), 0, (rows - count) << 4);
    }
    for (let panel = 0; panel < columns >> 3; ++panel) {
      memory.fill(outputs + point * outputPlane + ((panel * rows + count) << 5), 0, (rows - count) << 5);
    }
  }
}
