// Correlation of image rows with a kernel: the inner loop of blurring, two pixels at a time in float64. Every sum runs
// over the kernel's weights in order and no operation is fused, so the results are those of the same loop in JavaScript,
// to the bit.

/** Bytes of a weight and of an offset. */
const WEIGHT: usize = 8;
const OFFSET: usize = 4;

/**
 * target[r · length + i] = Σ_t weights[t] · source[r · stride + offsets[t] + i] for i < length, r < rows.
 *
 * @param source float32
 * @param stride bytes from one row's first pixel to the next one's
 * @param weights float64, `taps` of them
 * @param offsets int32, in bytes
 * @param target float32
 * @param length values in a row of the result
 */
export function correlateRows(
  source: usize, stride: usize, weights: usize, offsets: usize, taps: i32, target: usize, length: i32, rows: i32,
): void {
  for (let row = 0; row < rows; ++row) {
    let i = 0;
    for (; i <= length - 8; i += 8) correlateEight(source + (i << 2), weights, offsets, taps, target + (i << 2));
    for (; i < length; ++i) correlateOne(source + (i << 2), weights, offsets, taps, target + (i << 2));
    source += stride;
    target += (length as usize) << 2;
  }
}

// @ts-ignore: decorator
@inline function correlateEight(source: usize, weights: usize, offsets: usize, taps: i32, target: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  const end = weights + (taps as usize) * WEIGHT;
  for (; weights < end; weights += WEIGHT, offsets += OFFSET) {
    const w = v128.load64_splat(weights);
    const from = source + (load<i32>(offsets) as usize);
    s0 = f64x2.add(s0, f64x2.mul(w, f64x2.promote_low_f32x4(v128.load64_zero(from))));
    s1 = f64x2.add(s1, f64x2.mul(w, f64x2.promote_low_f32x4(v128.load64_zero(from, 8))));
    s2 = f64x2.add(s2, f64x2.mul(w, f64x2.promote_low_f32x4(v128.load64_zero(from, 16))));
    s3 = f64x2.add(s3, f64x2.mul(w, f64x2.promote_low_f32x4(v128.load64_zero(from, 24))));
  }
  storeTwo(target, s0);
  storeTwo(target + 8, s1);
  storeTwo(target + 16, s2);
  storeTwo(target + 24, s3);
}

// @ts-ignore: decorator
@inline function storeTwo(target: usize, sums: v128): void {
  v128.store64_lane(target, f32x4.demote_f64x2_zero(sums), 0);
}

// @ts-ignore: decorator
@inline function correlateOne(source: usize, weights: usize, offsets: usize, taps: i32, target: usize): void {
  let sum: f64 = 0;
  const end = weights + (taps as usize) * WEIGHT;
  for (; weights < end; weights += WEIGHT, offsets += OFFSET) {
    sum += load<f64>(weights) * (load<f32>(source + (load<i32>(offsets) as usize)) as f64);
  }
  store<f32>(target, sum as f32);
}
