// How matrices lie in scratch memory for the multiplication in gemm.ts.
//
// A [rows][k] is stored in quads: 4 rows by 4 k in one cache line, so that one pointer with constant offsets reaches all
// 16 numbers. A product walks along k and has its quads as [rows/4][k/4]; a transposed product walks along the rows and
// has them as [k/4][rows/4]. B [k][n] and the result C are stored in panels: [n/8][k][8]. Rows and k are padded to multiples of 4, n to a
// multiple of 8; padding of what is summed over holds zeros.

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
