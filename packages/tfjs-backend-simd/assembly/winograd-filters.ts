// Between 3x3 filters [3, 3, cIn, cOut] and Winograd's transformed planes.

import { PANELS, columnOffset, roundUp, rowOffset, storeLanes } from "./layout";
import { transformFilter } from "./transforms";

const half: usize = memory.data(576, 64);
const taps: usize = memory.data(144, 64);

/**
 * G g Gᵀ as 36 planes of B panels [n/8][k][8], `plane` bytes apart.
 *
 * Forward: k counts cIn, n counts cOut. `rotated` (for the input gradient): k counts cOut, n counts cIn and the filter
 * is turned by 180 degrees. This filter's rows start at `offset` (a multiple of 4) of the `k`.
 */
export function transformFilters(
  filter: usize, cIn: i32, cOut: i32, rotated: bool, planes: usize, plane: usize, k: i32, offset: i32,
): void {
  const rows = rotated ? cOut : cIn;
  const columns = rotated ? cIn : cOut;
  const paddedRows = roundUp(rows, 4);
  const paddedColumns = roundUp(columns, 8);
  for (let column = 0; column < paddedColumns; column += 4) {
    const panel = planes + rowOffset(PANELS, offset, 0) + columnOffset(PANELS, column, k);
    for (let row = 0; row < paddedRows; ++row) {
      if (row < rows && column < columns) {
        gatherTaps(filter, cIn, cOut, rotated, row, column, min(columns - column, 4));
      } else {
        memory.fill(taps, 0, 144);
      }
      transformTaps(panel + rowOffset(PANELS, row, 0), plane);
    }
  }
}

/** The nine taps of one k and up to four n into `taps`. */
// @ts-ignore: decorator
@inline function gatherTaps(
  filter: usize, cIn: i32, cOut: i32, rotated: bool, row: i32, column: i32, lanes: i32,
): void {
  const tapBytes = ((cIn * cOut) as usize) << 2;
  if (rotated) {
    let from = filter + (((column * cOut + row) as usize) << 2) + 8 * tapBytes;
    const step = (cOut as usize) << 2;
    for (let tap = taps; tap != taps + 144; tap += 16) {
      let value = v128.load32_zero(from);
      if (lanes > 1) value = v128.load_lane<u32>(from + step, value, 1);
      if (lanes > 2) value = v128.load_lane<u32>(from + 2 * step, value, 2);
      if (lanes > 3) value = v128.load_lane<u32>(from + 3 * step, value, 3);
      v128.store(tap, value);
      from -= tapBytes;
    }
  } else {
    let from = filter + (((row * cOut + column) as usize) << 2);
    for (let tap = taps; tap != taps + 144; tap += 16) {
      if (lanes == 4) {
        v128.store(tap, v128.load(from));
      } else {
        let value = v128.load32_zero(from);
        if (lanes > 1) value = v128.load_lane<u32>(from, value, 1, 4);
        if (lanes > 2) value = v128.load_lane<u32>(from, value, 2, 8);
        v128.store(tap, value);
      }
      from += tapBytes;
    }
  }
}

// @ts-ignore: decorator
@inline function transformTaps(to: usize, plane: usize): void {
  for (let column: usize = 0; column != 48; column += 16) {
    transformFilter(
      v128.load(taps + column), v128.load(taps + column, 48), v128.load(taps + column, 96), half + column, 48,
    );
  }
  for (let line = half; line != half + 288; line += 48) {
    transformFilter(v128.load(line), v128.load(line, 16), v128.load(line, 32), to, plane);
    to += 6 * plane;
  }
}

/**
 * Gᵀ U G of 36 planes in panels [columns/8][k][8] into the filter gradient [3, 3, rows, columns], whose rows lie
 * `rowStep` numbers apart and columns `columnStep`.
 */
export function transformFilterGradients(
  planes: usize, plane: usize, k: i32, filter: usize, rows: i32, columns: i32, rowStep: i32, columnStep: i32,
): void {
  const tapBytes = ((rows * columns) as usize) << 2;
  for (let row = 0; row < rows; ++row) {
    for (let column = 0; column < columns; column += 4) {
      let from = planes + rowOffset(PANELS, row, 0) + columnOffset(PANELS, column, k);
      for (let line = half; line != half + 96; line += 16) {
        transformGradient(from, 6 * plane, line, 96);
        from += plane;
      }
      let to = filter + ((row * rowStep + column * columnStep) << 2);
      for (let line = half; line != half + 288; line += 96) {
        transformGradient(line, 16, taps, 16);
        for (let tap = taps; tap != taps + 48; tap += 16) {
          storeSpread(to, v128.load(tap), min(columns - column, 4), columnStep << 2);
          to += tapBytes;
        }
      }
    }
  }
}

/** Stores the first `lanes` lanes, `step` bytes apart. */
// @ts-ignore: decorator
@inline function storeSpread(to: usize, value: v128, lanes: i32, step: usize): void {
  if (step == 4) {
    storeLanes(to, value, lanes);
    return;
  }
  v128.store_lane<u32>(to, value, 0);
  if (lanes > 1) v128.store_lane<u32>(to + step, value, 1);
  if (lanes > 2) v128.store_lane<u32>(to + 2 * step, value, 2);
  if (lanes > 3) v128.store_lane<u32>(to + 3 * step, value, 3);
}

/** Gᵀ applied to six vectors; three results. */
// @ts-ignore: decorator
@inline function transformGradient(from: usize, step: usize, to: usize, toStep: usize): void {
  const u0 = v128.load(from);
  const u1 = v128.load(from + step);
  const u2 = v128.load(from + 2 * step);
  const u3 = v128.load(from + 3 * step);
  const u4 = v128.load(from + 4 * step);
  const u5 = v128.load(from + 5 * step);
  const s1 = f32x4.mul(f32x4.add(u1, u2), f32x4.splat(1.0 / 6.0));
  const d1 = f32x4.mul(f32x4.sub(u2, u1), f32x4.splat(1.0 / 6.0));
  const s3 = f32x4.add(u3, u4);
  const d3 = f32x4.sub(u3, u4);
  v128.store(to, f32x4.add(f32x4.sub(f32x4.mul(u0, f32x4.splat(0.25)), s1), f32x4.mul(s3, f32x4.splat(1.0 / 24.0))));
  v128.store(to + toStep, f32x4.add(d1, f32x4.mul(d3, f32x4.splat(1.0 / 12.0))));
  v128.store(
    to + 2 * toStep, f32x4.add(f32x4.sub(f32x4.mul(s3, f32x4.splat(1.0 / 6.0)), s1), u5));
}
