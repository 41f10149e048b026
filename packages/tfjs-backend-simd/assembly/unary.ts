// Elementwise functions of one float32 array. Arrays are padded to whole vectors, so a last vector may be part padding.

const NEGATE: i32 = 0;
const ABSOLUTE: i32 = 1;
const SQUARE: i32 = 2;
const SQUARE_ROOT: i32 = 3;
const RELU: i32 = 4;
const SIGN: i32 = 5;
const STEP: i32 = 6;
const CLIP: i32 = 7;

/** copysign(magnitude, x) where x is not zero; x itself where it is zero or NaN. */
// @ts-ignore: decorator
@inline export function signTimes(x: v128, magnitude: v128): v128 {
  const sign = i32x4.splat(0x80000000);
  const nonZero = v128.or(f32x4.gt(x, f32x4.splat(0)), f32x4.lt(x, f32x4.splat(0)));
  return v128.bitselect(v128.xor(magnitude, v128.and(x, sign)), x, nonZero);
}

// @ts-ignore: decorator
@inline function apply(op: i32, x: v128, p: v128, q: v128): v128 {
  if (op == NEGATE) return f32x4.neg(x);
  if (op == ABSOLUTE) return f32x4.abs(x);
  if (op == SQUARE) return f32x4.mul(x, x);
  if (op == SQUARE_ROOT) return f32x4.sqrt(x);
  if (op == RELU) return f32x4.pmax(x, f32x4.splat(0));
  if (op == SIGN) return signTimes(x, f32x4.splat(1));
  if (op == STEP) {
    const positive = v128.bitselect(f32x4.splat(1), p, f32x4.gt(x, f32x4.splat(0)));
    return v128.bitselect(positive, x, f32x4.eq(x, x));
  }
  return f32x4.max(f32x4.min(x, q), p);
}

// @ts-ignore: decorator
@inline function map(op: i32, x: usize, out: usize, count: i32, p: f32, q: f32): void {
  const low = f32x4.splat(p);
  const high = f32x4.splat(q);
  const end = x + ((count as usize) << 2);
  for (; x < end; x += 16) {
    v128.store(out, apply(op, v128.load(x), low, high));
    out += 16;
  }
}

export function negate(x: usize, out: usize, count: i32): void {
  map(NEGATE, x, out, count, 0, 0);
}

export function absolute(x: usize, out: usize, count: i32): void {
  map(ABSOLUTE, x, out, count, 0, 0);
}

export function square(x: usize, out: usize, count: i32): void {
  map(SQUARE, x, out, count, 0, 0);
}

export function squareRoot(x: usize, out: usize, count: i32): void {
  map(SQUARE_ROOT, x, out, count, 0, 0);
}

export function relu(x: usize, out: usize, count: i32): void {
  map(RELU, x, out, count, 0, 0);
}

/** -1, 0 or 1; NaN stays NaN. */
export function sign(x: usize, out: usize, count: i32): void {
  map(SIGN, x, out, count, 0, 0);
}

/** 1 where positive, else alpha; NaN stays NaN. */
export function step(x: usize, out: usize, count: i32, alpha: f32): void {
  map(STEP, x, out, count, alpha, 0);
}

export function clip(x: usize, out: usize, count: i32, low: f32, high: f32): void {
  map(CLIP, x, out, count, low, high);
}

/** In float64, by the module's own code: the same bits on every processor. */
export function exponential(x: usize, out: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count << 2; i += 4) f32.store(out + i, Math.exp(f32.load(x + i)) as f32);
}

/** In float64, by the module's own code: the same bits on every processor. */
export function logarithm(x: usize, out: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count << 2; i += 4) f32.store(out + i, Math.log(f32.load(x + i)) as f32);
}

/** Truncates towards zero; out of range saturates, NaN gives 0. */
export function floatToInteger(x: usize, out: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count << 2; i += 16) {
    v128.store(out + i, i32x4.trunc_sat_f32x4_s(v128.load(x + i)));
  }
}

export function integerToFloat(x: usize, out: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count << 2; i += 16) {
    v128.store(out + i, f32x4.convert_i32x4_s(v128.load(x + i)));
  }
}

export function booleanToInteger(x: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; ++i) store<i32>(out + (i << 2), load<u8>(x + i));
}

export function booleanToFloat(x: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; ++i) store<f32>(out + (i << 2), load<u8>(x + i));
}

export function floatToBoolean(x: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; ++i) store<u8>(out + i, load<f32>(x + (i << 2)) != 0 ? 1 : 0);
}

export function integerToBoolean(x: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; ++i) store<u8>(out + i, load<i32>(x + (i << 2)) != 0 ? 1 : 0);
}
