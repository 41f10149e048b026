// Winograd F(4x4, 3x3), interpolation points 0, 1, -1, 2, -2 and infinity (Lavin and Gray, 2016): an output tile of
// 4x4 is Aᵀ [ (G g Gᵀ) ∘ (Bᵀ d B) ] A for a 6x6 input tile d and a 3x3 filter g. The filter gradient is the adjoint:
// Gᵀ [ Σ (Bᵀ d B) ∘ (A y Aᵀ) ] G. Every transform here handles four channels at a time, one dimension at a time, and
// passes its results through memory, because 36 vectors do not fit the processor's registers.

import { storeLanes } from "./layout";

/** Bᵀ applied to six vectors `fromStep` bytes apart; six results `toStep` bytes apart. */
// @ts-ignore: decorator
@inline export function transformInput(
  d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, to: usize, toStep: usize,
): void {
  const four = f32x4.splat(4);
  const five = f32x4.splat(5);
  const two = f32x4.splat(2);
  v128.store(to, f32x4.add(f32x4.sub(f32x4.mul(d0, four), f32x4.mul(d2, five)), d4));
  const a = f32x4.sub(d4, f32x4.mul(d2, four));
  const b = f32x4.sub(d3, f32x4.mul(d1, four));
  v128.store(to + toStep, f32x4.add(a, b));
  v128.store(to + 2 * toStep, f32x4.sub(a, b));
  const c = f32x4.sub(d4, d2);
  const e = f32x4.mul(f32x4.sub(d3, d1), two);
  v128.store(to + 3 * toStep, f32x4.add(c, e));
  v128.store(to + 4 * toStep, f32x4.sub(c, e));
  v128.store(to + 5 * toStep, f32x4.add(f32x4.sub(f32x4.mul(d1, four), f32x4.mul(d3, five)), d5));
}

/** G applied to three vectors; six results `toStep` bytes apart. */
// @ts-ignore: decorator
@inline export function transformFilter(g0: v128, g1: v128, g2: v128, to: usize, toStep: usize): void {
  v128.store(to, f32x4.mul(g0, f32x4.splat(0.25)));
  const even = f32x4.mul(f32x4.add(g0, g2), f32x4.splat(-1.0 / 6.0));
  const odd = f32x4.mul(g1, f32x4.splat(-1.0 / 6.0));
  v128.store(to + toStep, f32x4.add(even, odd));
  v128.store(to + 2 * toStep, f32x4.sub(even, odd));
  const ends = f32x4.add(f32x4.mul(g0, f32x4.splat(1.0 / 24.0)), f32x4.mul(g2, f32x4.splat(1.0 / 6.0)));
  const middle = f32x4.mul(g1, f32x4.splat(1.0 / 12.0));
  v128.store(to + 3 * toStep, f32x4.add(ends, middle));
  v128.store(to + 4 * toStep, f32x4.sub(ends, middle));
  v128.store(to + 5 * toStep, g2);
}

/** Aᵀ applied to six vectors; four results of `lanes` lanes, `toStep` bytes apart. */
// @ts-ignore: decorator
@inline export function transformProduct(
  m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128, to: usize, toStep: usize, lanes: i32,
): void {
  const s1 = f32x4.add(m1, m2);
  const d1 = f32x4.sub(m1, m2);
  const s3 = f32x4.add(m3, m4);
  const d3 = f32x4.sub(m3, m4);
  const y0 = f32x4.add(f32x4.add(m0, s1), s3);
  const y1 = f32x4.add(d1, f32x4.mul(d3, f32x4.splat(2)));
  const y2 = f32x4.add(s1, f32x4.mul(s3, f32x4.splat(4)));
  const y3 = f32x4.add(f32x4.add(d1, f32x4.mul(d3, f32x4.splat(8))), m5);
  storeLanes(to, y0, lanes);
  storeLanes(to + toStep, y1, lanes);
  storeLanes(to + 2 * toStep, y2, lanes);
  storeLanes(to + 3 * toStep, y3, lanes);
}

/** A applied to four vectors (the gradient of an output tile); six results `toStep` bytes apart. */
// @ts-ignore: decorator
@inline export function transformOutputGradient(
  y0: v128, y1: v128, y2: v128, y3: v128, to: usize, toStep: usize,
): void {
  v128.store(to, y0);
  const even = f32x4.add(y0, y2);
  const odd = f32x4.add(y1, y3);
  v128.store(to + toStep, f32x4.add(even, odd));
  v128.store(to + 2 * toStep, f32x4.sub(even, odd));
  const even2 = f32x4.add(y0, f32x4.mul(y2, f32x4.splat(4)));
  const odd2 = f32x4.add(f32x4.mul(y1, f32x4.splat(2)), f32x4.mul(y3, f32x4.splat(8)));
  v128.store(to + 3 * toStep, f32x4.add(even2, odd2));
  v128.store(to + 4 * toStep, f32x4.sub(even2, odd2));
  v128.store(to + 5 * toStep, y3);
}
