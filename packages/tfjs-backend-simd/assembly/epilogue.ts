// What happens to a convolution's result on its way into the output.

/** relu(value + bias), then zero where the mask at `mask` (0: none) is not positive. */
// @ts-ignore: decorator
@inline export function finish(value: v128, bias: v128, relu: bool, mask: usize): v128 {
  let result = f32x4.add(value, bias);
  if (relu) result = f32x4.pmax(result, f32x4.splat(0));
  if (mask) result = v128.and(result, f32x4.gt(v128.load(mask), f32x4.splat(0)));
  return result;
}
