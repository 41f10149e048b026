import * as tf from "@tensorflow/tfjs-core";
import type { SimdBackend } from "../backend.js";
import { register, requireType } from "./kernel.js";
import { transposed } from "./move.js";
import { castTo } from "./unary.js";

/** A tensor seen as [outer, reduced, inner], and the shape after the middle axis is gone. */
interface Folded {
  /** The tensor, or a transposed copy of it; to be disposed. */
  readonly x: tf.TensorInfo;
  readonly outer: number;
  readonly reduced: number;
  readonly inner: number;
  readonly shape: number[];
}

interface ReductionAttributes {
  readonly keepDims?: boolean;
}

function fold(backend: SimdBackend, x: tf.TensorInfo, axis: number | number[], keepDims: boolean): Folded {
  const axes = tf.util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
  const [kept, reduced] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
  const shape = keepDims ? tf.backend_util.expandShapeToKeepDim(kept, axes) : kept;
  const size = tf.util.sizeFromShape;
  const first = axes[0] ?? 0;
  if (axes.every((value, i) => value === first + i)) {
    const inner = size(x.shape.slice(first + axes.length));
    const outer = size(x.shape.slice(0, first));
    return { x: backend.alias(x, x.shape), outer, reduced: size(reduced), inner, shape };
  }
  const others = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const moved = transposed(backend, x, [...others, ...axes]);
  return { x: moved, outer: size(kept), reduced: size(reduced), inner: 1, shape };
}

function sum(x: tf.TensorInfo, axis: number | number[], keepDims: boolean, mean: boolean, backend: SimdBackend) {
  if (x.dtype === "bool") {
    const counted = castTo(backend, x, "int32");
    try {
      return sum(counted, axis, keepDims, mean, backend);
    } finally {
      backend.disposeData(counted.dataId);
    }
  }
  const folded = fold(backend, x, axis, keepDims);
  try {
    const { outer, reduced, inner } = folded;
    const out = backend.makeOutput(folded.shape, x.dtype);
    const [from, to] = [backend.address(folded.x), backend.address(out)];
    const divisor = mean ? reduced : 1;
    if (x.dtype === "int32") backend.kernels.sumIntegers(from, to, outer, reduced, inner);
    else if (inner === 1) backend.kernels.sumInner(from, to, outer, reduced, divisor);
    else backend.kernels.sumRows(from, to, outer, reduced, inner, divisor);
    return out;
  } finally {
    backend.disposeData(folded.x.dataId);
  }
}

function registerExtreme(kernel: string, name: "maximumRows" | "minimumRows"): void {
  register<tf.MaxInputs, ReductionAttributes & { reductionIndices?: number | number[]; axis?: number | number[] }>(
    kernel,
    ({ x }, { reductionIndices, axis, keepDims }, backend) => {
      requireType(kernel, x!, "float32");
      const folded = fold(backend, x!, (reductionIndices ?? axis)!, keepDims ?? false);
      try {
        const out = backend.makeOutput(folded.shape, "float32");
        const { outer, reduced, inner } = folded;
        backend.kernels[name](backend.address(folded.x), backend.address(out), outer, reduced, inner);
        return out;
      } finally {
        backend.disposeData(folded.x.dataId);
      }
    },
  );
}

/** Registers sums, means and extremes over axes. */
export function registerReductionKernels(): void {
  register<tf.SumInputs, tf.SumAttrs>(tf.Sum, ({ x }, { axis, keepDims }, backend) => {
    requireType(tf.Sum, x!, "float32", "int32", "bool");
    return sum(x!, axis, keepDims ?? false, false, backend);
  });
  register<tf.MeanInputs, tf.MeanAttrs>(tf.Mean, ({ x }, { axis, keepDims }, backend) => {
    requireType(tf.Mean, x!, "float32");
    return sum(x!, axis, keepDims ?? false, true, backend);
  });
  registerExtreme(tf.Max, "maximumRows");
  registerExtreme(tf.Min, "minimumRows");
}
