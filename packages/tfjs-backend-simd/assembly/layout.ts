// How matrices lie in scratch memory for the products in gemm.ts: in the order in which they are read.
//
// STRIPS, A of a product [rows][k]: [rows/STRIP][k/4][STRIP rows][4 k].
// COLUMNS, A of a transposed product [rows][k]: [k/4][rows][4 k].
// PANELS, B [k][n] and every result: [n/8][k][8].
//
// All are made of blocks of four numbers of one row, so that four channels are written at once. Rows are padded to
// whole strips, or to a multiple of four where they are summed over, columns to a multiple of 4, in panels of 8;
// padding of what is summed over holds zeros.

export const STRIPS: i32 = 0;
export const COLUMNS: i32 = 1;
export const PANELS: i32 = 2;

/** Rows of a product's register tile. */
export const STRIP: i32 = 5;

/** Bytes to a matrix's row; `columns` is needed for strips. */
// @ts-ignore: decorator
@inline export function rowOffset(form: i32, row: i32, columns: i32): usize {
  if (form == STRIPS) return (((row / STRIP) * columns * STRIP) << 2) + ((row % STRIP) << 4);
  return form == COLUMNS ? row << 4 : row << 5;
}

/** Bytes from a row's start to a column, a multiple of four, in a matrix of `rows` rows. */
// @ts-ignore: decorator
@inline export function columnOffset(form: i32, column: i32, rows: i32): usize {
  if (form == STRIPS) return (column * STRIP) << 2;
  return form == COLUMNS ? (column * rows) << 2 : (((column >> 3) * rows) << 5) + ((column & 4) << 2);
}

/** Zeroes the rows from `first` on that round a matrix up to `rows` rows. */
export function clearRows(matrix: usize, form: i32, first: i32, rows: i32, columns: i32): void {
  for (let row = first; row < rows; ++row) {
    for (let column = 0; column < columns; column += 4) {
      v128.store(matrix + rowOffset(form, row, columns) + columnOffset(form, column, rows), f32x4.splat(0));
    }
  }
}

/** Output tile edge of Winograd F(4x4, 3x3). */
export const TILE: i32 = 4;
/** Transformed tile: 6x6 points. */
export const POINTS: i32 = 36;
/** Bytes between the planes of two points beyond their data: keeps strides off powers of two. */
export const PLANE_PAD: usize = 64;

// @ts-ignore: decorator
@inline export function roundUp(value: i32, multiple: i32): i32 {
  return ((value + multiple - 1) / multiple) * multiple;
}

// @ts-ignore: decorator
@inline export function ceilDivide(value: i32, divisor: i32): i32 {
  return (value + divisor - 1) / divisor;
}

/** Keeps the lanes below `lanes` (1 to 4) and zeroes the others. */
// @ts-ignore: decorator
@inline export function laneMask(lanes: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(lanes));
}

/** Stores the first `lanes` (1 to 4) lanes. */
// @ts-ignore: decorator
@inline export function storeLanes(address: usize, value: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store(address, value);
    return;
  }
  v128.store_lane<u32>(address, value, 0);
  if (lanes > 1) v128.store_lane<u32>(address, value, 1, 4);
  if (lanes > 2) v128.store_lane<u32>(address, value, 2, 8);
}
