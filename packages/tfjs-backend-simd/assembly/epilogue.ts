// What happens to a convolution's result on its way into the output.

export const PLAIN: i32 = 0;
export const RELU: i32 = 1;
export const MASK: i32 = 2;

/** The value, its ReLU, or zero where the four numbers at `mask` are not positive. `kind` is to be a constant. */
// @ts-ignore: decorator
@inline export function finish(value: v128, kind: i32, mask: usize): v128 {
  if (kind == RELU) return f32x4.pmax(value, f32x4.splat(0));
  if (kind == MASK) return v128.and(value, f32x4.gt(v128.load(mask), f32x4.splat(0)));
  return value;
}
