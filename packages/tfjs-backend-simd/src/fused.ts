// Typed functions for the kernels that this backend has beyond the library's. They run on the active backend, which has
// to be `simd`; none has a gradient. Convolutions are 'same' with stride 1; images are [n, h, w, c], filters HWIO.

import * as tf from "@tensorflow/tfjs-core";
import {
  Axpy,
  DualConv2D,
  DualConv2DBackpropFilter,
  L1Grad,
  L1Loss,
  ReluGrad,
  ReluGradConv2DBackpropInput,
} from "./kernels/names.js";

function run(name: string, inputs: Record<string, tf.Tensor | undefined>, attributes: tf.NamedAttrMap = {}) {
  return tf.engine().runKernel(name, inputs as Record<string, tf.Tensor>, attributes) as tf.Tensor;
}

/** dy where the ReLU's output y is positive, else 0. Both of one shape. */
export function reluGrad<T extends tf.Tensor>(dy: T, y: T): T {
  return run(ReluGrad, { dy, y }) as T;
}

/**
 * Gradient of the input of a convolution that follows a ReLU: inputGradient(dy, filter) [+ inputGradient(dy2, filter2)],
 * zero where the ReLU's output y is not positive. dy [n, h, w, o], filter [3, 3, c, o], y [n, h, w, c].
 */
export function reluGradConv2DBackpropInput(inputs: {
  dy: tf.Tensor4D;
  filter: tf.Tensor4D;
  y: tf.Tensor4D;
  dy2?: tf.Tensor4D;
  filter2?: tf.Tensor4D;
}): tf.Tensor4D {
  return run(ReluGradConv2DBackpropInput, inputs) as tf.Tensor4D;
}

/**
 * convolve(x, filter) + convolve(x2, filter2) [+ bias], zero where y is not positive if y is given: a layer's tangent in
 * Pearlmutter's R-operator. The sum costs one output pass, not two.
 */
export function dualConv2D(inputs: {
  x: tf.Tensor4D;
  filter: tf.Tensor4D;
  x2: tf.Tensor4D;
  filter2: tf.Tensor4D;
  bias?: tf.Tensor1D;
  y?: tf.Tensor4D;
}): tf.Tensor4D {
  return run(DualConv2D, inputs) as tf.Tensor4D;
}

/** filterGradient(x, dy) + filterGradient(x2, dy2) for filters of `filterSize` (3x3 if left out). */
export function dualConv2DBackpropFilter(
  inputs: { x: tf.Tensor4D; dy: tf.Tensor4D; x2: tf.Tensor4D; dy2: tf.Tensor4D },
  filterSize: [number, number] = [3, 3],
): tf.Tensor4D {
  return run(DualConv2DBackpropFilter, inputs, { filterSize }) as tf.Tensor4D;
}

/** scale · sign(prediction − target): the gradient of `l1Loss` for scale = 1 / number of elements. */
export function l1Grad<T extends tf.Tensor>(prediction: T, target: T, scale: number): T {
  return run(L1Grad, { prediction, target }, { scale }) as T;
}

/** Mean of |prediction − target|, a scalar, summed in float64. */
export function l1Loss(prediction: tf.Tensor, target: tf.Tensor): tf.Scalar {
  return run(L1Loss, { prediction, target }) as tf.Scalar;
}

/** y + a · x, of one shape. */
export function axpy<T extends tf.Tensor>(a: number, x: T, y: T): T {
  return run(Axpy, { x, y }, { a }) as T;
}
