// Moving elements without computing: transpose, slice, pad, tile, concatenate and broadcast are all one strided copy.

/** Fills `count` four-byte elements. */
export function fill(out: usize, count: i32, value: f32): void {
  const all = f32x4.splat(value);
  const end = out + ((count as usize) << 2);
  for (; out < end; out += 16) v128.store(out, all);
}

/**
 * out[i·outSteps] = x[i·xSteps] for i in [d0, d1, d2, d3]; steps in elements of `size` bytes (1 or 4), and may be
 * zero (repeats) or negative (mirrors).
 */
export function copyStrided(
  x: usize, out: usize, size: i32, d0: i32, d1: i32, d2: i32, d3: i32,
  x0: i32, x1: i32, x2: i32, x3: i32, o0: i32, o1: i32, o2: i32, o3: i32,
): void {
  for (let i = 0; i < d0; ++i) {
    for (let j = 0; j < d1; ++j) {
      for (let k = 0; k < d2; ++k) {
        const from = x + ((i * x0 + j * x1 + k * x2) as usize) * size;
        const to = out + ((i * o0 + j * o1 + k * o2) as usize) * size;
        if (x3 == 1 && o3 == 1) copyRun(from, to, (d3 as usize) * size);
        else if (size == 4) copySteps<u32>(from, to, d3, x3 << 2, o3 << 2);
        else copySteps<u8>(from, to, d3, x3, o3);
      }
    }
  }
}

/** Short runs by loads and stores: a bulk copy leaves WebAssembly, which costs more than it saves. */
// @ts-ignore: decorator
@inline function copyRun(from: usize, to: usize, bytes: usize): void {
  if (bytes >= 512) {
    memory.copy(to, from, bytes);
    return;
  }
  const vectors = to + (bytes & ~15);
  const end = to + bytes;
  for (; to != vectors; to += 16) {
    v128.store(to, v128.load(from));
    from += 16;
  }
  for (; to + 4 <= end; to += 4) {
    store<u32>(to, load<u32>(from));
    from += 4;
  }
  for (; to != end; ++to) store<u8>(to, load<u8>(from++));
}

// @ts-ignore: decorator
@inline function copySteps<T>(from: usize, to: usize, count: i32, fromStep: i32, toStep: i32): void {
  for (let l = 0; l < count; ++l) {
    store<T>(to, load<T>(from));
    from += fromStep;
    to += toStep;
  }
}
