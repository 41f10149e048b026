/**
 * The handful of operations that gradients, Hessian-vector products and adaptation are made of. Each asks the active
 * backend for one fused kernel and, where it has none, says the same in stock TensorFlow.js kernels; so one program
 * runs everywhere and makes few passes over memory where it matters.
 *
 * Tensors are NHWC, kernels HWIO, convolutions 3×3 'same' with stride 1. "Masked by y" means: kept where the ReLU
 * output y is positive, else 0 (the derivative of ReLU at 0 is 0). Every function returns new tensors and disposes
 * what else it makes, given that it runs inside `tf.tidy` in case of an error.
 */
import * as tf from "@tensorflow/tfjs-core";

const CONVOLUTION = { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1] };

/** x ⊛ filter + bias, then ReLU if asked for. */
export function convolve(x: tf.Tensor, filter: tf.Tensor, bias: tf.Tensor, activation: "relu" | "linear"): tf.Tensor {
  return run("FusedConv2D", { x, filter, bias }, { ...CONVOLUTION, activation });
}

/**
 * The tangent of a layer's output before its ReLU, masked by that ReLU: R{a ⊛ W + b} = Ra ⊛ W + a ⊛ V + c.
 *
 * @param tangent Ra, or undefined where it is 0 (the network's input)
 * @param y the layer's output after ReLU, or undefined for the linear last layer
 */
export function tangentConvolve(
  tangent: tf.Tensor | undefined,
  filter: tf.Tensor,
  activation: tf.Tensor,
  filterTangent: tf.Tensor,
  biasTangent: tf.Tensor,
  y: tf.Tensor | undefined,
): tf.Tensor {
  if (tangent !== undefined && has("DualConv2D")) {
    const inputs = { x: activation, filter: filterTangent, x2: tangent, filter2: filter, bias: biasTangent };
    return run("DualConv2D", y === undefined ? inputs : { ...inputs, y }, {});
  }
  let sum = convolve(activation, filterTangent, biasTangent, "linear");
  if (tangent !== undefined) sum = addInPlaceOf(sum, run("Conv2D", { x: tangent, filter }, CONVOLUTION));
  return y === undefined ? sum : consume(sum, (dy) => reluGradient(dy, y));
}

/** One term of an input gradient: the gradient of a layer's output and that layer's kernel. */
export interface OutputGradient {
  readonly dy: tf.Tensor;
  readonly filter: tf.Tensor;
}

/** The gradient that reaches the layer below, through one or two kernels, masked by that layer's ReLU output y. */
export function inputGradient(first: OutputGradient, second: OutputGradient | undefined, y: tf.Tensor): tf.Tensor {
  if (has("ReluGradConv2DBackpropInput")) {
    const extra = second === undefined ? {} : { dy2: second.dy, filter2: second.filter };
    return run("ReluGradConv2DBackpropInput", { ...first, y, ...extra }, {});
  }
  const inputShape = y.shape;
  const backprop = ({ dy, filter }: OutputGradient) =>
    run("Conv2DBackpropInput", { dy, filter }, { ...CONVOLUTION, inputShape });
  const sum = second === undefined ? backprop(first) : addInPlaceOf(backprop(first), backprop(second));
  return consume(sum, (dy) => reluGradient(dy, y));
}

/** One term of a kernel's gradient: a layer's input and the gradient of its output. */
export interface LayerGradient {
  readonly x: tf.Tensor;
  readonly dy: tf.Tensor;
}

/** The gradient of a kernel from one or two pairs of input and output gradient. */
export function filterGradient(first: LayerGradient, second?: LayerGradient): tf.Tensor {
  if (second !== undefined && has("DualConv2DBackpropFilter")) {
    return run("DualConv2DBackpropFilter", { ...first, x2: second.x, dy2: second.dy }, {});
  }
  const backprop = ({ x, dy }: LayerGradient) => {
    const filterShape = [3, 3, x.shape[3]!, dy.shape[3]!];
    return run("Conv2DBackpropFilter", { x, dy }, { ...CONVOLUTION, filterShape });
  };
  return second === undefined ? backprop(first) : addInPlaceOf(backprop(first), backprop(second));
}

/** The gradient of a bias: dy summed over images and pixels. */
export function biasGradient(dy: tf.Tensor): tf.Tensor {
  return tf.sum(dy, [0, 1, 2]);
}

/** dy masked by y. */
export function reluGradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  if (has("ReluGrad")) return run("ReluGrad", { dy, y }, {});
  return consume(tf.step(y), (mask) => tf.mul(dy, mask));
}

/** mean |prediction − target| over all elements, a scalar. */
export function meanAbsoluteDifference(prediction: tf.Tensor, target: tf.Tensor): tf.Tensor {
  if (has("L1Loss")) return run("L1Loss", { prediction, target }, {});
  return consume(tf.sub(prediction, target), (difference) => consume(tf.abs(difference), (a) => tf.mean(a)));
}

/** scale · sign(prediction − target), where sign(0) = 0. */
export function scaledSign(prediction: tf.Tensor, target: tf.Tensor, scale: number): tf.Tensor {
  if (has("L1Grad")) return run("L1Grad", { prediction, target }, { scale });
  return consume(tf.sub(prediction, target), (difference) => consume(tf.sign(difference), (s) => tf.mul(s, scale)));
}

/** y + a·x. */
export function axpy(a: number, x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  if (has("Axpy")) return run("Axpy", { x, y }, { a });
  return consume(tf.mul(x, a), (scaled) => tf.add(y, scaled));
}

function has(kernel: string): boolean {
  return tf.getKernel(kernel, tf.getBackend()) !== undefined;
}

function run(kernel: string, inputs: Record<string, tf.Tensor>, attributes: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
}

function addInPlaceOf(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return consume(a, () => consume(b, () => tf.add(a, b)));
}

/** Applies `f` to a tensor that is not needed afterwards. */
function consume(tensor: tf.Tensor, f: (tensor: tf.Tensor) => tf.Tensor): tf.Tensor {
  const result = f(tensor);
  tensor.dispose();
  return result;
}
