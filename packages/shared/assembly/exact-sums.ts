// Exact sums of gradients (src/exact-sums/exact-sum.ts tells the idea and proves the bounds): the loops that check, square
// and add, eight elements at a time. Lengths are multiples of 8; what is missing is filled with zeros, which change nothing.
//
// An element that is not allowed counts as zero here, and the result says that there was one. So no refused value reaches
// a sum, and the same call with `negate` takes out exactly what the first one added.

/** 1.5 · 2^32 and 1.5 · 2^-8: adding and subtracting them rounds to multiples of 2^-20 and 2^-60. */
const ROUND_HIGH: f64 = 6442450944.0;
const ROUND_LOW: f64 = 0.005859375;

/** 2^20, the largest magnitude of an element. */
const LARGEST: f32 = 1048576.0;

/** How many of the grids' steps make 1. */
const HIGH_STEPS: f64 = 1048576.0;
const LOW_STEPS: f64 = 1152921504606846976.0;

/** Bytes of eight float64. */
const EIGHT: usize = 64;

/**
 * high[i] ± hi(x[i]), low[i] ± lo(x[i]), and squares[i mod 8] + x[i]².
 *
 * @param source float32
 * @param high float64, `length` of them; so is `low`
 * @param squares 8 float64
 * @param negate 1 to subtract, 0 to add
 * @returns whether all elements are finite and at most 2^20 in magnitude
 */
export function addGradient(source: usize, high: usize, low: usize, squares: usize, length: i32, negate: i32): bool {
  const sign = i32x4.splat(negate << 31);
  const largest = f32x4.splat(LARGEST);
  let allowed = i32x4.splat(-1);
  let s0 = v128.load(squares);
  let s1 = v128.load(squares, 16);
  let s2 = v128.load(squares, 32);
  let s3 = v128.load(squares, 48);
  for (const end = high + ((length as usize) << 3); high < end; source += 32, high += EIGHT, low += EIGHT) {
    let x = v128.load(source);
    let y = v128.load(source, 16);
    const xAllowed = f32x4.le(f32x4.abs(x), largest);
    const yAllowed = f32x4.le(f32x4.abs(y), largest);
    allowed = v128.and(allowed, v128.and(xAllowed, yAllowed));
    x = v128.xor(v128.and(x, xAllowed), sign);
    y = v128.xor(v128.and(y, yAllowed), sign);
    const a = f64x2.promote_low_f32x4(x);
    const b = f64x2.promote_low_f32x4(upperHalf(x));
    const c = f64x2.promote_low_f32x4(y);
    const d = f64x2.promote_low_f32x4(upperHalf(y));
    s0 = f64x2.add(s0, f64x2.mul(a, a));
    s1 = f64x2.add(s1, f64x2.mul(b, b));
    s2 = f64x2.add(s2, f64x2.mul(c, c));
    s3 = f64x2.add(s3, f64x2.mul(d, d));
    addParts(a, high, low);
    addParts(b, high + 16, low + 16);
    addParts(c, high + 32, low + 32);
    addParts(d, high + 48, low + 48);
  }
  v128.store(squares, s0);
  v128.store(squares, s1, 16);
  v128.store(squares, s2, 32);
  v128.store(squares, s3, 48);
  return i32x4.all_true(allowed);
}

// @ts-ignore: decorator
@inline function upperHalf(x: v128): v128 {
  return v128.shuffle<i64>(x, x, 1, 1);
}

/** Adds hi(x) and lo(x) of two elements. */
// @ts-ignore: decorator
@inline function addParts(x: v128, high: usize, low: usize): void {
  const roundHigh = f64x2.splat(ROUND_HIGH);
  const roundLow = f64x2.splat(ROUND_LOW);
  const hi = f64x2.sub(f64x2.add(x, roundHigh), roundHigh);
  const lo = f64x2.sub(f64x2.add(f64x2.sub(x, hi), roundLow), roundLow);
  v128.store(high, f64x2.add(v128.load(high), hi));
  v128.store(low, f64x2.add(v128.load(low), lo));
}

/**
 * high[i] ± h[i], low[i] ± l[i], and squares[i mod 8] + (h[i] + l[i])².
 *
 * @param sourceHigh float64, `length` of them; so are the other three
 * @param squares 8 float64
 * @param negate 1 to subtract, 0 to add
 * @param terms of how many gradients the source is the sum
 * @returns whether every h is a multiple of 2^-20 and at most terms · 2^20, every l of 2^-60 and at most terms · 2^-21
 */
export function addSums(
  sourceHigh: usize, sourceLow: usize, high: usize, low: usize, squares: usize, length: i32, negate: i32, terms: i32,
): bool {
  const sign = i64x2.splat((negate as i64) << 63);
  const highSteps = f64x2.splat(HIGH_STEPS);
  const lowSteps = f64x2.splat(LOW_STEPS);
  const highLargest = f64x2.splat((terms as f64) * 1048576.0);
  const lowLargest = f64x2.splat((terms as f64) * 4.76837158203125e-7);
  let allowed = i64x2.splat(-1);
  for (let i: usize = 0, bytes = (length as usize) << 3; i < bytes; i += 16) {
    const h = v128.load(sourceHigh + i);
    const l = v128.load(sourceLow + i);
    const hAllowed = onGrid(h, highSteps, highLargest);
    const lAllowed = onGrid(l, lowSteps, lowLargest);
    allowed = v128.and(allowed, v128.and(hAllowed, lAllowed));
    const hKept = v128.xor(v128.and(h, hAllowed), sign);
    const lKept = v128.xor(v128.and(l, lAllowed), sign);
    const x = f64x2.add(hKept, lKept);
    const square = squares + (i & 48);
    v128.store(square, f64x2.add(v128.load(square), f64x2.mul(x, x)));
    v128.store(high + i, f64x2.add(v128.load(high + i), hKept));
    v128.store(low + i, f64x2.add(v128.load(low + i), lKept));
  }
  return i64x2.all_true(allowed);
}

/** Where `x` is at most `largest` in magnitude (so finite) and a multiple of 1 / steps; scaling by a power of 2 is exact. */
// @ts-ignore: decorator
@inline function onGrid(x: v128, steps: v128, largest: v128): v128 {
  const scaled = f64x2.mul(x, steps);
  return v128.and(f64x2.le(f64x2.abs(x), largest), f64x2.eq(f64x2.nearest(scaled), scaled));
}
