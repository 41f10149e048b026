// Reductions over the middle axis of [outer, reduced, inner]. Sums are kept in float64, or float32 for at most 32
// terms, in an order that depends on the shape alone.

import { laneMask, storeLanes } from "./layout";

/** Rows summed in float32 before they are added to the float64 sums. */
const RUN: i32 = 32;

/** out[o] = sum over r of x[o][r] / divisor. */
export function sumInner(x: usize, out: usize, outer: i32, reduced: i32, divisor: f64): void {
  const whole = reduced & ~3;
  for (let o = 0; o < outer; ++o) {
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    const end = x + ((whole as usize) << 2);
    for (; x != end; x += 16) {
      const value = v128.load(x);
      low = f64x2.add(low, f64x2.promote_low_f32x4(value));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(value, value, 1, 0)));
    }
    const pair = f64x2.add(low, high);
    let sum = f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
    for (let i = whole; i < reduced; ++i) {
      sum += f32.load(x);
      x += 4;
    }
    f32.store(out, (sum / divisor) as f32);
    out += 4;
  }
}

/** out[o][i] = sum over r of x[o][r][i] / divisor. */
export function sumRows(x: usize, out: usize, outer: i32, reduced: i32, inner: i32, divisor: f64): void {
  const rowBytes = (inner as usize) << 2;
  for (let o = 0; o < outer; ++o) {
    let i = 0;
    for (; i + 16 <= inner; i += 16) sumSixteen(x + (i << 2), out + (i << 2), reduced, rowBytes, divisor);
    for (; i < inner; i += 4) sumFour(x + (i << 2), out + (i << 2), reduced, rowBytes, divisor, inner - i);
    x += (reduced as usize) * rowBytes;
    out += rowBytes;
  }
}

const sums: usize = memory.data(128, 64);

function sumSixteen(x: usize, out: usize, reduced: i32, rowBytes: usize, divisor: f64): void {
  memory.fill(sums, 0, 128);
  for (let row = 0; row < reduced; row += RUN) {
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    const end = x + (min(reduced - row, RUN) as usize) * rowBytes;
    for (; x != end; x += rowBytes) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
    }
    accumulate(sums, s0);
    accumulate(sums + 32, s1);
    accumulate(sums + 64, s2);
    accumulate(sums + 96, s3);
  }
  for (let i: usize = 0; i < 4; ++i) v128.store(out + (i << 4), rounded(sums + (i << 5), divisor));
}

function sumFour(x: usize, out: usize, reduced: i32, rowBytes: usize, divisor: f64, lanes: i32): void {
  memory.fill(sums, 0, 32);
  for (let row = 0; row < reduced; row += RUN) {
    let sum = f32x4.splat(0);
    const end = x + (min(reduced - row, RUN) as usize) * rowBytes;
    for (; x != end; x += rowBytes) sum = f32x4.add(sum, v128.load(x));
    accumulate(sums, sum);
  }
  storeLanes(out, rounded(sums, divisor), lanes);
}

// @ts-ignore: decorator
@inline function accumulate(to: usize, value: v128): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(value)));
  v128.store(to, f64x2.add(v128.load(to, 16), f64x2.promote_low_f32x4(v128.shuffle<i64>(value, value, 1, 0))), 16);
}

// @ts-ignore: decorator
@inline function rounded(from: usize, divisor: f64): v128 {
  const by = f64x2.splat(divisor);
  const low = f32x4.demote_f64x2_zero(f64x2.div(v128.load(from), by));
  const high = f32x4.demote_f64x2_zero(f64x2.div(v128.load(from, 16), by));
  return v128.shuffle<i64>(low, high, 0, 2);
}

/** out[o][i] = sum over r of x[o][r][i], int32. */
export function sumIntegers(x: usize, out: usize, outer: i32, reduced: i32, inner: i32): void {
  memory.fill(out, 0, ((outer * inner) as usize) << 2);
  for (let o = 0; o < outer; ++o) {
    for (let r = 0; r < reduced; ++r) {
      for (let i: usize = 0; i < <usize>inner << 2; i += 4) {
        store<i32>(out + i, load<i32>(out + i) + load<i32>(x + i));
      }
      x += (inner as usize) << 2;
    }
    out += (inner as usize) << 2;
  }
}

/** out[o][i] = max over r of x[o][r][i]. */
export function maximumRows(x: usize, out: usize, outer: i32, reduced: i32, inner: i32): void {
  extremeRows(true, x, out, outer, reduced, inner);
}

/** out[o][i] = min over r of x[o][r][i]. */
export function minimumRows(x: usize, out: usize, outer: i32, reduced: i32, inner: i32): void {
  extremeRows(false, x, out, outer, reduced, inner);
}

// @ts-ignore: decorator
@inline function extremeRows(largest: bool, x: usize, out: usize, outer: i32, reduced: i32, inner: i32): void {
  const start = f32x4.splat(largest ? -Infinity : Infinity);
  const rowBytes = (inner as usize) << 2;
  for (let o = 0; o < outer; ++o) {
    for (let i = 0; i < inner; i += 4) {
      const lanes = inner - i;
      let best = start;
      if (inner == 1) {
        best = extremeOfRun(largest, x, reduced);
      } else {
        let from = x + (i << 2);
        for (let r = 0; r < reduced; ++r) {
          best = largest ? f32x4.max(best, v128.load(from)) : f32x4.min(best, v128.load(from));
          from += rowBytes;
        }
      }
      storeLanes(out + (i << 2), best, lanes);
    }
    x += (reduced as usize) * rowBytes;
    out += rowBytes;
  }
}

/** The extreme of `count` consecutive numbers, in lane 0. */
// @ts-ignore: decorator
@inline function extremeOfRun(largest: bool, x: usize, count: i32): v128 {
  const start = f32x4.splat(largest ? -Infinity : Infinity);
  let best = start;
  for (let i = 0; i < count; i += 4) {
    const lanes = count - i;
    let value = v128.load(x + (i << 2));
    if (lanes < 4) value = v128.bitselect(value, start, laneMask(lanes));
    best = largest ? f32x4.max(best, value) : f32x4.min(best, value);
  }
  const swapped = v128.shuffle<i32>(best, best, 2, 3, 0, 1);
  best = largest ? f32x4.max(best, swapped) : f32x4.min(best, swapped);
  const turned = v128.shuffle<i32>(best, best, 1, 0, 3, 2);
  return largest ? f32x4.max(best, turned) : f32x4.min(best, turned);
}
