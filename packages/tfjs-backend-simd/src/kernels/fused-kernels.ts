import * as tf from "@tensorflow/tfjs-core";
import type { SimdBackend } from "../backend.js";
import { convolve, filterGradient, inputGradient } from "./convolution.js";
import { register, requireShape, requireType, sizeOf } from "./kernel.js";
import {
  Axpy,
  DualConv2D,
  DualConv2DBackpropFilter,
  L1Grad,
  L1Loss,
  ReluGrad,
  ReluGradConv2DBackpropInput,
} from "./names.js";

type Inputs<Required extends string, Optional extends string = never> = Record<Required, tf.TensorInfo> &
  Partial<Record<Optional, tf.TensorInfo>>;

function requireFloats(kernel: string, ...tensors: (tf.TensorInfo | undefined)[]): void {
  for (const tensor of tensors) if (tensor) requireType(kernel, tensor, "float32");
}

/** Geometry of a 'same' convolution of stride 1, and the shapes that go with it. */
function sameGeometry(kernel: string, x: tf.TensorInfo, filterShape: number[]) {
  if (x.shape.length !== 4) throw new Error(`simd backend: ${kernel}: expected [n, h, w, c], got [${x.shape}]`);
  type Shape4 = [number, number, number, number];
  return tf.backend_util.computeConv2DInfo(x.shape as Shape4, filterShape as Shape4, 1, 1, "same");
}

function withChannels(shape: readonly number[], channels: number): number[] {
  return [...shape.slice(0, 3), channels];
}

function dualConv2D(
  { x, filter, x2, filter2, bias, y }: Inputs<"x" | "filter" | "x2" | "filter2", "bias" | "y">,
  _: unknown,
  backend: SimdBackend,
): tf.TensorInfo {
  requireFloats(DualConv2D, x, filter, x2, filter2, bias, y);
  const info = sameGeometry(DualConv2D, x, filter.shape);
  const channels = filter2.shape[2]!;
  requireShape(DualConv2D, "filter2", filter2, [...filter.shape.slice(0, 2), channels, info.outChannels]);
  requireShape(DualConv2D, "x2", x2, withChannels(x.shape, channels));
  if (bias) requireShape(DualConv2D, "bias", bias, [info.outChannels]);
  if (y) requireShape(DualConv2D, "y", y, info.outShape);
  const terms = [
    { x, filter },
    { x: x2, filter: filter2 },
  ] as const;
  return convolve(backend, terms, info, { bias, mask: y });
}

function reluGradConv2DBackpropInput(
  { dy, filter, y, dy2, filter2 }: Inputs<"dy" | "filter" | "y", "dy2" | "filter2">,
  _: unknown,
  backend: SimdBackend,
): tf.TensorInfo {
  const name = ReluGradConv2DBackpropInput;
  requireFloats(name, dy, filter, y, dy2, filter2);
  const info = sameGeometry(name, y, filter.shape);
  requireShape(name, "dy", dy, info.outShape);
  if (!dy2 || !filter2) {
    if (dy2 || filter2) throw new Error(`simd backend: ${name}: dy2 and filter2 go together`);
    return inputGradient(backend, [{ x: dy, filter }], info, { mask: y });
  }
  const channels = filter2.shape[3]!;
  requireShape(name, "filter2", filter2, [...filter.shape.slice(0, 3), channels]);
  requireShape(name, "dy2", dy2, withChannels(y.shape, channels));
  const terms = [
    { x: dy, filter },
    { x: dy2, filter: filter2 },
  ] as const;
  return inputGradient(backend, terms, info, { mask: y });
}

function dualConv2DBackpropFilter(
  { x, dy, x2, dy2 }: Inputs<"x" | "dy" | "x2" | "dy2">,
  { filterSize = [3, 3] }: { filterSize?: [number, number] },
  backend: SimdBackend,
): tf.TensorInfo {
  requireFloats(DualConv2DBackpropFilter, x, dy, x2, dy2);
  const info = sameGeometry(DualConv2DBackpropFilter, x, [...filterSize, x.shape[3]!, dy.shape[3]!]);
  requireShape(DualConv2DBackpropFilter, "dy", dy, info.outShape);
  requireShape(DualConv2DBackpropFilter, "x2", x2, x.shape);
  requireShape(DualConv2DBackpropFilter, "dy2", dy2, dy.shape);
  return filterGradient(
    backend,
    [
      { x, dy },
      { x: x2, dy: dy2 },
    ],
    info,
  );
}

function reluGrad({ dy, y }: Inputs<"dy" | "y">, _: unknown, backend: SimdBackend): tf.TensorInfo {
  requireFloats(ReluGrad, dy, y);
  requireShape(ReluGrad, "y", y, dy.shape);
  const out = backend.makeOutput(dy.shape, "float32");
  backend.kernels.reluGradient(backend.address(dy), backend.address(y), backend.address(out), sizeOf(dy));
  return out;
}

function l1Grad(
  { prediction, target }: Inputs<"prediction" | "target">,
  { scale }: { scale: number },
  backend: SimdBackend,
): tf.TensorInfo {
  requireFloats(L1Grad, prediction, target);
  requireShape(L1Grad, "target", target, prediction.shape);
  const out = backend.makeOutput(prediction.shape, "float32");
  const [p, t] = [backend.address(prediction), backend.address(target)];
  backend.kernels.l1Gradient(p, t, backend.address(out), sizeOf(out), scale);
  return out;
}

function l1Loss(
  { prediction, target }: Inputs<"prediction" | "target">,
  _: unknown,
  backend: SimdBackend,
): tf.TensorInfo {
  requireFloats(L1Loss, prediction, target);
  requireShape(L1Loss, "target", target, prediction.shape);
  const out = backend.makeOutput([], "float32");
  const [p, t] = [backend.address(prediction), backend.address(target)];
  backend.kernels.l1Loss(p, t, backend.address(out), sizeOf(prediction));
  return out;
}

function axpy({ x, y }: Inputs<"x" | "y">, { a }: { a: number }, backend: SimdBackend): tf.TensorInfo {
  requireFloats(Axpy, x, y);
  requireShape(Axpy, "y", y, x.shape);
  const out = backend.makeOutput(x.shape, "float32");
  backend.kernels.axpy(backend.address(x), backend.address(y), backend.address(out), sizeOf(x), a);
  return out;
}

/** Registers the kernels of names.ts. */
export function registerFusedKernels(): void {
  register(ReluGrad, reluGrad);
  register(ReluGradConv2DBackpropInput, reluGradConv2DBackpropInput);
  register(DualConv2D, dualConv2D);
  register(DualConv2DBackpropFilter, dualConv2DBackpropFilter);
  register(L1Grad, l1Grad);
  register(L1Loss, l1Loss);
  register(Axpy, axpy);
}
