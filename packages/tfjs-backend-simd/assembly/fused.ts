// Elementwise work of adaptation and of the meta-gradient, fused so that each array is walked once.

import { signTimes } from "./unary";

/** out = dy where y > 0, else 0. */
export function reluGradient(dy: usize, y: usize, out: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count << 2; i += 16) {
    v128.store(out + i, v128.and(v128.load(dy + i), f32x4.gt(v128.load(y + i), f32x4.splat(0))));
  }
}

/** out = y + a x. */
export function axpy(x: usize, y: usize, out: usize, count: i32, a: f32): void {
  const factor = f32x4.splat(a);
  for (let i: usize = 0; i < <usize>count << 2; i += 16) {
    v128.store(out + i, f32x4.add(v128.load(y + i), f32x4.mul(factor, v128.load(x + i))));
  }
}

/** out = scale * sign(prediction - target). */
export function l1Gradient(prediction: usize, target: usize, out: usize, count: i32, scale: f32): void {
  const magnitude = f32x4.splat(scale);
  for (let i: usize = 0; i < <usize>count << 2; i += 16) {
    v128.store(out + i, signTimes(f32x4.sub(v128.load(prediction + i), v128.load(target + i)), magnitude));
  }
}

/** Mean of |prediction - target| into the float32 at `out`, summed in float64. */
export function l1Loss(prediction: usize, target: usize, out: usize, count: i32): void {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const whole = ((count & ~3) as usize) << 2;
  for (let i: usize = 0; i < whole; i += 16) {
    const gap = f32x4.abs(f32x4.sub(v128.load(prediction + i), v128.load(target + i)));
    low = f64x2.add(low, f64x2.promote_low_f32x4(gap));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(gap, gap, 1, 0)));
  }
  const pair = f64x2.add(low, high);
  let sum = f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
  for (let i = whole; i < <usize>count << 2; i += 4) {
    sum += abs<f32>(f32.load(prediction + i) - f32.load(target + i));
  }
  f32.store(out, (sum / (count as f64)) as f32);
}
