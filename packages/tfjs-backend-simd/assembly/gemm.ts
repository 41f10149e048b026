// The two matrix products everything else is built on. See layout.ts for how A and B lie in memory.

import { ceilDivide } from "./layout";

/**
 * C[row][column] = sum over k of A[row][k] * B[k][column], for `rows` a multiple of 4, `k` a multiple of 4.
 * A in quads, B in panels; C is [rows][panels * 8], `rowBytes` between rows.
 */
export function multiply(a: usize, b: usize, c: usize, rows: i32, k: i32, panels: i32, rowBytes: usize): void {
  const quadBytes = (k as usize) << 4;
  const panelBytes = (k as usize) << 5;
  for (let panel = 0; panel < panels; ++panel) {
    let quad = a;
    let out = c + ((panel as usize) << 5);
    for (let row = 0; row < rows; row += 4) {
      multiplyTile(quad, b, out, k, rowBytes);
      quad += quadBytes;
      out += rowBytes << 2;
    }
    b += panelBytes;
  }
}

// @ts-ignore: decorator
@inline function multiplyTile(a: usize, b: usize, c: usize, k: i32, rowBytes: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  const end = b + ((k as usize) << 5);
  do {
    for (let step = a, last = a + 16; step != last; step += 4) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let x = v128.load32_splat(step);
      c00 = f32x4.add(c00, f32x4.mul(x, b0));
      c01 = f32x4.add(c01, f32x4.mul(x, b1));
      x = v128.load32_splat(step, 16);
      c10 = f32x4.add(c10, f32x4.mul(x, b0));
      c11 = f32x4.add(c11, f32x4.mul(x, b1));
      x = v128.load32_splat(step, 32);
      c20 = f32x4.add(c20, f32x4.mul(x, b0));
      c21 = f32x4.add(c21, f32x4.mul(x, b1));
      x = v128.load32_splat(step, 48);
      c30 = f32x4.add(c30, f32x4.mul(x, b0));
      c31 = f32x4.add(c31, f32x4.mul(x, b1));
      b += 32;
    }
    a += 64;
  } while (b != end);
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += rowBytes;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += rowBytes;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += rowBytes;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}

/**
 * C[m][column] += sum over rows of A[row][m] * B[row][column]: the product of a transposed A, for filter gradients.
 * A in quads of `k` columns (a multiple of 4), B in panels of `rows` rows (a multiple of 4); C is [k][panels * 8].
 */
export function multiplyTransposed(a: usize, b: usize, c: usize, rows: i32, k: i32, panels: i32): void {
  const rowBytes = (panels as usize) << 5;
  const panelBytes = (rows as usize) << 5;
  const quads = ceilDivide(k, 4);
  for (let panel = 0; panel < panels; ++panel) {
    let column = a;
    let out = c + ((panel as usize) << 5);
    for (let quad = 0; quad < quads; ++quad) {
      accumulateTile(column, b, out, rows, (k as usize) << 4, rowBytes);
      column += 64;
      out += rowBytes << 2;
    }
    b += panelBytes;
  }
}

// @ts-ignore: decorator
@inline function accumulateTile(a: usize, b: usize, c: usize, rows: i32, quadBytes: usize, rowBytes: usize): void {
  const c1 = c + rowBytes;
  const c2 = c1 + rowBytes;
  const c3 = c2 + rowBytes;
  let c00 = v128.load(c);
  let c01 = v128.load(c, 16);
  let c10 = v128.load(c1);
  let c11 = v128.load(c1, 16);
  let c20 = v128.load(c2);
  let c21 = v128.load(c2, 16);
  let c30 = v128.load(c3);
  let c31 = v128.load(c3, 16);
  const end = b + ((rows as usize) << 5);
  do {
    for (let step = a, last = a + 64; step != last; step += 16) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let x = v128.load32_splat(step);
      c00 = f32x4.add(c00, f32x4.mul(x, b0));
      c01 = f32x4.add(c01, f32x4.mul(x, b1));
      x = v128.load32_splat(step, 4);
      c10 = f32x4.add(c10, f32x4.mul(x, b0));
      c11 = f32x4.add(c11, f32x4.mul(x, b1));
      x = v128.load32_splat(step, 8);
      c20 = f32x4.add(c20, f32x4.mul(x, b0));
      c21 = f32x4.add(c21, f32x4.mul(x, b1));
      x = v128.load32_splat(step, 12);
      c30 = f32x4.add(c30, f32x4.mul(x, b0));
      c31 = f32x4.add(c31, f32x4.mul(x, b1));
      b += 32;
    }
    a += quadBytes;
  } while (b != end);
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c1, c10);
  v128.store(c1, c11, 16);
  v128.store(c2, c20);
  v128.store(c2, c21, 16);
  v128.store(c3, c30);
  v128.store(c3, c31, 16);
}
