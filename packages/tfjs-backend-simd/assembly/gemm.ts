// The two matrix products everything else is built on. See layout.ts for how matrices lie in memory.
//
// A tile of 5x8 (or, transposed, 4x8) results stays in registers: with 2 vectors of B, a broadcast number of A and a
// product that is all V8 has registers for. The code's shape is for V8's TurboFan, whose scheduler decides how close to
// the peak of two multiplications and two additions a cycle it runs:
// - Loads keep their order, and arithmetic is placed before the values that the block's end needs first. With the rows
//   written from the last to the first, each load comes right before its use; otherwise all come first, take more
//   registers, and the processor stalls on them. That holds within a basic block that ends in a merge of the sums, so
//   each step of k is one: the condition around it always holds, as no matrix starts at NOWHERE, and costs one fused
//   instruction.
// - Broadcasting loads do not fold constant offsets into the instruction: all steps use the same ones, kept in
//   registers, and move the pointer.
// - Eight steps a loop spread the loop's own cost, above all its stack check.

import { STRIP } from "./layout";

/** No matrix starts here: addresses are multiples of four. */
const NOWHERE: usize = 1;
/** Changes no address, but tells V8 that an address is a whole 32-bit number, which saves an instruction a step. */
const ALIGNED: usize = ~15;

/**
 * C[row][column] = sum over k of A[row][k] * B[k][column]. `rows` is a multiple of STRIP, `k` of 4; A in strips, B and
 * C in panels.
 */
export function multiply(a: usize, b: usize, c: usize, rows: i32, k: i32, panels: i32): void {
  a &= ALIGNED;
  const stripBytes = (k * STRIP) << 2;
  const panelBytes = k << 5;
  const lastPanel = b + panels * panelBytes;
  const lastStrip = a + (rows / STRIP) * stripBytes;
  for (; b != lastPanel; b += panelBytes) {
    for (let strip = a; strip != lastStrip; strip += stripBytes) {
      multiplyTile(strip, b, c, strip + stripBytes);
      c += STRIP << 5;
    }
  }
}

// @ts-ignore: decorator
@inline function multiplyTile(a: usize, b: usize, c: usize, end: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c41 = f32x4.splat(0);
  do {
    let b0: v128, b1: v128, x: v128;
    if (a != NOWHERE) {
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      x = v128.load32_splat(a, 64);
      c41 = f32x4.add(c41, f32x4.mul(b1, x));
      c40 = f32x4.add(c40, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 48);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 32);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 16);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 4;
    if (a != NOWHERE) {
      b0 = v128.load(b, 32);
      b1 = v128.load(b, 48);
      x = v128.load32_splat(a, 64);
      c41 = f32x4.add(c41, f32x4.mul(b1, x));
      c40 = f32x4.add(c40, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 48);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 32);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 16);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 4;
    if (a != NOWHERE) {
      b0 = v128.load(b, 64);
      b1 = v128.load(b, 80);
      x = v128.load32_splat(a, 64);
      c41 = f32x4.add(c41, f32x4.mul(b1, x));
      c40 = f32x4.add(c40, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 48);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 32);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 16);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 4;
    if (a != NOWHERE) {
      b0 = v128.load(b, 96);
      b1 = v128.load(b, 112);
      x = v128.load32_splat(a, 64);
      c41 = f32x4.add(c41, f32x4.mul(b1, x));
      c40 = f32x4.add(c40, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 48);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 32);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 16);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 68;
    if (a == end) break;
    if (a != NOWHERE) {
      b0 = v128.load(b, 128);
      b1 = v128.load(b, 144);
      x = v128.load32_splat(a, 64);
      c41 = f32x4.add(c41, f32x4.mul(b1, x));
      c40 = f32x4.add(c40, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 48);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 32);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 16);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 4;
    if (a != NOWHERE) {
      b0 = v128.load(b, 160);
      b1 = v128.load(b, 176);
      x = v128.load32_splat(a, 64);
      c41 = f32x4.add(c41, f32x4.mul(b1, x));
      c40 = f32x4.add(c40, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 48);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 32);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 16);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 4;
    if (a != NOWHERE) {
      b0 = v128.load(b, 192);
      b1 = v128.load(b, 208);
      x = v128.load32_splat(a, 64);
      c41 = f32x4.add(c41, f32x4.mul(b1, x));
      c40 = f32x4.add(c40, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 48);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 32);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 16);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 4;
    if (a != NOWHERE) {
      b0 = v128.load(b, 224);
      b1 = v128.load(b, 240);
      x = v128.load32_splat(a, 64);
      c41 = f32x4.add(c41, f32x4.mul(b1, x));
      c40 = f32x4.add(c40, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 48);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 32);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 16);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 68;
    b += 256;
  } while (a != end);
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c, c10, 32);
  v128.store(c, c11, 48);
  v128.store(c, c20, 64);
  v128.store(c, c21, 80);
  v128.store(c, c30, 96);
  v128.store(c, c31, 112);
  v128.store(c, c40, 128);
  v128.store(c, c41, 144);
}

/**
 * C[m][column] += sum over rows of A[row][m] * B[row][column]: the product of a transposed A, for filter gradients.
 * `rows` and `k` are multiples of 4; A in columns, B and C in panels.
 */
export function multiplyTransposed(a: usize, b: usize, c: usize, rows: i32, k: i32, panels: i32): void {
  a &= ALIGNED;
  const columnBytes = rows << 4;
  const panelBytes = rows << 5;
  const lastPanel = b + panels * panelBytes;
  const lastColumn = a + (k >> 2) * columnBytes;
  for (; b != lastPanel; b += panelBytes) {
    for (let column = a; column != lastColumn; column += columnBytes) {
      accumulateTile(column, b, c, column + columnBytes);
      c += 128;
    }
  }
}

// @ts-ignore: decorator
@inline function accumulateTile(a: usize, b: usize, c: usize, end: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  do {
    let b0: v128, b1: v128, x: v128;
    if (a != NOWHERE) {
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      x = v128.load32_splat(a, 12);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 8);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 4);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 16;
    if (a != NOWHERE) {
      b0 = v128.load(b, 32);
      b1 = v128.load(b, 48);
      x = v128.load32_splat(a, 12);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 8);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 4);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 16;
    if (a != NOWHERE) {
      b0 = v128.load(b, 64);
      b1 = v128.load(b, 80);
      x = v128.load32_splat(a, 12);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 8);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 4);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 16;
    if (a != NOWHERE) {
      b0 = v128.load(b, 96);
      b1 = v128.load(b, 112);
      x = v128.load32_splat(a, 12);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 8);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 4);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 16;
    if (a == end) break;
    if (a != NOWHERE) {
      b0 = v128.load(b, 128);
      b1 = v128.load(b, 144);
      x = v128.load32_splat(a, 12);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 8);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 4);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 16;
    if (a != NOWHERE) {
      b0 = v128.load(b, 160);
      b1 = v128.load(b, 176);
      x = v128.load32_splat(a, 12);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 8);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 4);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 16;
    if (a != NOWHERE) {
      b0 = v128.load(b, 192);
      b1 = v128.load(b, 208);
      x = v128.load32_splat(a, 12);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 8);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 4);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 16;
    if (a != NOWHERE) {
      b0 = v128.load(b, 224);
      b1 = v128.load(b, 240);
      x = v128.load32_splat(a, 12);
      c31 = f32x4.add(c31, f32x4.mul(b1, x));
      c30 = f32x4.add(c30, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 8);
      c21 = f32x4.add(c21, f32x4.mul(b1, x));
      c20 = f32x4.add(c20, f32x4.mul(b0, x));
      x = v128.load32_splat(a, 4);
      c11 = f32x4.add(c11, f32x4.mul(b1, x));
      c10 = f32x4.add(c10, f32x4.mul(b0, x));
      x = v128.load32_splat(a);
      c01 = f32x4.add(c01, f32x4.mul(b1, x));
      c00 = f32x4.add(c00, f32x4.mul(b0, x));
    }
    a += 16;
    b += 256;
  } while (a != end);
  v128.store(c, f32x4.add(v128.load(c), c00));
  v128.store(c, f32x4.add(v128.load(c, 16), c01), 16);
  v128.store(c, f32x4.add(v128.load(c, 32), c10), 32);
  v128.store(c, f32x4.add(v128.load(c, 48), c11), 48);
  v128.store(c, f32x4.add(v128.load(c, 64), c20), 64);
  v128.store(c, f32x4.add(v128.load(c, 80), c21), 80);
  v128.store(c, f32x4.add(v128.load(c, 96), c30), 96);
  v128.store(c, f32x4.add(v128.load(c, 112), c31), 112);
}
