// How matrices lie in scratch memory for the products in gemm.ts: in the order in which they are read.
//
// A [rows][k] as strips, for a product: [rows/STRIP][k/4][STRIP rows][4 k].
// A [rows][k] as columns, for a transposed product: [k/4][rows][4 k].
// B [k][n] and the result C as panels: [n/8][k][8].
//
// Both forms of A are blocks of four k of one row, so that four channels are written at once. Rows are padded to whole
// strips, or to a multiple of four where they are summed over, k to a multiple of 4 and n to one of 8; padding of what
// is summed over holds zeros.

/** Rows of a product's register tile. */
export const STRIP: i32 = 5;
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
