// Elementwise arithmetic. A binary operation walks `rows` rows of `inner` elements; an operand's row stride (bytes) is
// 0 where it repeats, and its step is 0 where one element stands for the whole row.

const ADD: i32 = 0;
const SUBTRACT: i32 = 1;
const MULTIPLY: i32 = 2;
const DIVIDE: i32 = 3;
const MAXIMUM: i32 = 4;
const MINIMUM: i32 = 5;
const GREATER: i32 = 6;
const GREATER_EQUAL: i32 = 7;
const LESS: i32 = 8;
const EQUAL: i32 = 9;

// @ts-ignore: decorator
@inline function floatVector(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return f32x4.add(a, b);
  if (op == SUBTRACT) return f32x4.sub(a, b);
  if (op == MULTIPLY) return f32x4.mul(a, b);
  if (op == DIVIDE) return f32x4.div(a, b);
  if (op == MAXIMUM) return f32x4.max(a, b);
  return f32x4.min(a, b);
}

// @ts-ignore: decorator
@inline function integerVector(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return i32x4.add(a, b);
  if (op == SUBTRACT) return i32x4.sub(a, b);
  if (op == MULTIPLY) return i32x4.mul(a, b);
  if (op == MAXIMUM) return i32x4.max_s(a, b);
  return i32x4.min_s(a, b);
}

// @ts-ignore: decorator
@inline function vector(op: i32, integer: bool, a: v128, b: v128): v128 {
  return integer ? integerVector(op, a, b) : floatVector(op, a, b);
}

// @ts-ignore: decorator
@inline function arithmetic(
  op: i32, integer: bool, a: usize, b: usize, out: usize,
  rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  const whole = inner & ~3;
  for (let row = 0; row < rows; ++row) {
    let aAt = a;
    let bAt = b;
    const end = out + ((whole as usize) << 2);
    if (aStep && bStep) {
      for (; out != end; out += 16) {
        v128.store(out, vector(op, integer, v128.load(aAt), v128.load(bAt)));
        aAt += 16;
        bAt += 16;
      }
    } else if (aStep) {
      const y = v128.load32_splat(b);
      for (; out != end; out += 16) {
        v128.store(out, vector(op, integer, v128.load(aAt), y));
        aAt += 16;
      }
    } else {
      const x = v128.load32_splat(a);
      for (; out != end; out += 16) {
        v128.store(out, vector(op, integer, x, bStep ? v128.load(bAt) : v128.load32_splat(bAt)));
        if (bStep) bAt += 16;
      }
    }
    for (let i = whole; i < inner; ++i) {
      v128.store_lane<u32>(out, vector(op, integer, v128.load32_zero(aAt), v128.load32_zero(bAt)), 0);
      aAt += aStep;
      bAt += bStep;
      out += 4;
    }
    a += aRow;
    b += bRow;
  }
}

// @ts-ignore: decorator
@inline function holds<T>(op: i32, x: T, y: T): bool {
  if (op == GREATER) return x > y;
  if (op == GREATER_EQUAL) return x >= y;
  if (op == LESS) return x < y;
  return x == y;
}

// @ts-ignore: decorator
@inline function comparison<T>(
  op: i32, a: usize, b: usize, out: usize,
  rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  for (let row = 0; row < rows; ++row) {
    let aAt = a;
    let bAt = b;
    for (let i = 0; i < inner; ++i) {
      store<u8>(out++, holds<T>(op, load<T>(aAt), load<T>(bAt)) ? 1 : 0);
      aAt += aStep;
      bAt += bStep;
    }
    a += aRow;
    b += bRow;
  }
}

export function addFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(ADD, false, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function addInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(ADD, true, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function subtractFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(SUBTRACT, false, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function subtractInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(SUBTRACT, true, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function multiplyFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(MULTIPLY, false, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function multiplyInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(MULTIPLY, true, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function divideFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(DIVIDE, false, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function maximumFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(MAXIMUM, false, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function maximumInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(MAXIMUM, true, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function minimumFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(MINIMUM, false, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function minimumInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  arithmetic(MINIMUM, true, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function greaterFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  comparison<f32>(GREATER, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function greaterInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  comparison<i32>(GREATER, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function greaterEqualFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  comparison<f32>(GREATER_EQUAL, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function greaterEqualInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  comparison<i32>(GREATER_EQUAL, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function lessFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  comparison<f32>(LESS, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function lessInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  comparison<i32>(LESS, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function equalFloat(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  comparison<f32>(EQUAL, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

export function equalInteger(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  comparison<i32>(EQUAL, a, b, out, rows, inner, aRow, bRow, aStep, bStep);
}

/** Booleans (one byte each), as a comparison's operands are. */
export function logicalAnd(
  a: usize, b: usize, out: usize, rows: i32, inner: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  for (let row = 0; row < rows; ++row) {
    let aAt = a;
    let bAt = b;
    for (let i = 0; i < inner; ++i) {
      store<u8>(out++, load<u8>(aAt) & load<u8>(bAt));
      aAt += aStep;
      bAt += bStep;
    }
    a += aRow;
    b += bRow;
  }
}

/** out[i] = condition[i] ? a[i] : b[i] for four-byte elements. */
export function select(condition: usize, a: usize, b: usize, out: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count; ++i) {
    const at = i << 2;
    store<u32>(out + at, load<u8>(condition + i) ? load<u32>(a + at) : load<u32>(b + at));
  }
}
