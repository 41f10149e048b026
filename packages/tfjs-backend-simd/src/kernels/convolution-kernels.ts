import * as tf from "@tensorflow/tfjs-core";
import type { SimdBackend } from "../backend.js";
import { convolve, filterGradient, inputGradient } from "./convolution.js";
import { register, requireShape, requireType } from "./kernel.js";

type Shape4 = [number, number, number, number];

interface Attributes {
  readonly strides: [number, number] | number;
  readonly pad: tf.Conv2DAttrs["pad"];
  readonly dataFormat: "NHWC" | "NCHW";
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

/** The convolution's geometry; refuses what this backend does not have. */
function geometry(kernel: string, input: number[], filter: number[], attributes: Attributes) {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
  if (dataFormat !== undefined && dataFormat !== "NHWC") {
    throw new Error(`simd backend: ${kernel} in ${dataFormat} is not supported; use NHWC`);
  }
  return tf.backend_util.computeConv2DInfo(
    input as Shape4,
    filter as Shape4,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    false,
  );
}

function requireFloats(kernel: string, inputs: object): void {
  for (const tensor of Object.values(inputs) as (tf.TensorInfo | undefined)[]) {
    if (tensor) requireType(kernel, tensor, "float32");
  }
}

function conv2D(inputs: tf.Conv2DInputs, attributes: tf.Conv2DAttrs, backend: SimdBackend): tf.TensorInfo {
  const { x, filter } = inputs as { x: tf.TensorInfo; filter: tf.TensorInfo };
  requireFloats(tf.Conv2D, { x, filter });
  const info = geometry(tf.Conv2D, x.shape, filter.shape, attributes);
  return convolve(backend, [{ x, filter }], info, {});
}

function fusedConv2D(inputs: tf.FusedConv2DInputs, attributes: tf.FusedConv2DAttrs, backend: SimdBackend) {
  const { x, filter, bias, preluActivationWeights } = inputs as {
    x: tf.TensorInfo;
    filter: tf.TensorInfo;
    bias?: tf.TensorInfo;
    preluActivationWeights?: tf.TensorInfo;
  };
  const { activation } = attributes;
  if (preluActivationWeights || (activation && activation !== "relu" && activation !== "linear")) {
    throw new Error(`simd backend: FusedConv2D with activation ${activation} is not supported; use linear or relu`);
  }
  requireFloats(tf.FusedConv2D, { x, filter, bias });
  const info = geometry(tf.FusedConv2D, x.shape, filter.shape, attributes);
  const whole = bias && expandedBias(backend, bias, info.outChannels);
  try {
    return convolve(backend, [{ x, filter }], info, { bias: whole, relu: activation === "relu" });
  } finally {
    if (whole) backend.disposeData(whole.dataId);
  }
}

/** A bias of one number stands for every channel. */
function expandedBias(backend: SimdBackend, bias: tf.TensorInfo, channels: number): tf.TensorInfo {
  const size = tf.util.sizeFromShape(bias.shape);
  if (size === channels) return backend.alias(bias, [channels]);
  if (size !== 1) throw new Error(`simd backend: FusedConv2D: bias is [${bias.shape}], expected [${channels}] or []`);
  const values = new Float32Array(channels).fill((backend.readSync(bias.dataId) as Float32Array)[0]!);
  return { dataId: backend.write(values, [channels], "float32"), shape: [channels], dtype: "float32" };
}

function conv2DBackpropInput(
  inputs: tf.Conv2DBackpropInputInputs,
  attributes: tf.Conv2DBackpropInputAttrs,
  backend: SimdBackend,
): tf.TensorInfo {
  const { dy, filter } = inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
  requireFloats(tf.Conv2DBackpropInput, { dy, filter });
  const info = geometry(tf.Conv2DBackpropInput, attributes.inputShape, filter.shape, attributes);
  requireShape(tf.Conv2DBackpropInput, "dy", dy, info.outShape);
  return inputGradient(backend, [{ x: dy, filter }], info, {});
}

function conv2DBackpropFilter(
  inputs: tf.Conv2DBackpropFilterInputs,
  attributes: tf.Conv2DBackpropFilterAttrs,
  backend: SimdBackend,
): tf.TensorInfo {
  const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
  requireFloats(tf.Conv2DBackpropFilter, { x, dy });
  const info = geometry(tf.Conv2DBackpropFilter, x.shape, attributes.filterShape, attributes);
  requireShape(tf.Conv2DBackpropFilter, "dy", dy, info.outShape);
  return filterGradient(backend, [{ x, dy }], info);
}

/** Registers the library's convolution kernels. */
export function registerConvolutionKernels(): void {
  register(tf.Conv2D, conv2D);
  register(tf.FusedConv2D, fusedConv2D);
  register(tf.Conv2DBackpropInput, conv2DBackpropInput);
  register(tf.Conv2DBackpropFilter, conv2DBackpropFilter);
}
