import * as tf from "@tensorflow/tfjs-core";
import type { SimdBackend } from "../backend.js";

/** Name under which the backend and its kernels are registered. */
export const BACKEND_NAME = "simd";

type Output = tf.TensorInfo | tf.TensorInfo[];

/** Registers a kernel for this backend. `In` and `Attributes` are the library's types for the kernel. */
export function register<In, Attributes>(
  kernelName: string,
  kernel: (inputs: In, attributes: Attributes, backend: SimdBackend) => Output,
): void {
  tf.registerKernel({
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, attrs, backend }) =>
      kernel(inputs as unknown as In, (attrs ?? {}) as unknown as Attributes, backend as SimdBackend),
  });
}

/** Refuses element types that a kernel does not have. */
export function requireType(kernel: string, tensor: tf.TensorInfo, ...types: tf.DataType[]): void {
  if (!types.includes(tensor.dtype)) {
    throw new Error(`simd backend: ${kernel} of ${tensor.dtype} is not supported; expected ${types.join(" or ")}`);
  }
}

/** Refuses a shape that a kernel cannot use. */
export function requireShape(kernel: string, what: string, tensor: tf.TensorInfo, expected: readonly number[]): void {
  if (!tf.util.arraysEqual(tensor.shape, expected as number[])) {
    throw new Error(`simd backend: ${kernel}: ${what} is [${tensor.shape}], expected [${expected}]`);
  }
}

/** Number of elements. */
export function sizeOf(tensor: tf.TensorInfo): number {
  return tf.util.sizeFromShape(tensor.shape);
}
