// Importing this package registers the TensorFlow.js backend "simd" and its kernels, as the library's own backends do.

import * as tf from "@tensorflow/tfjs-core";
import { SimdBackend, type SimdMemory } from "./backend.js";
import { registerBinaryKernels } from "./kernels/binary.js";
import { registerConvolutionKernels } from "./kernels/convolution-kernels.js";
import { registerFusedKernels } from "./kernels/fused-kernels.js";
import { BACKEND_NAME } from "./kernels/kernel.js";
import { registerMoveKernels } from "./kernels/move.js";
import { registerReductionKernels } from "./kernels/reduction.js";
import { registerUnaryKernels } from "./kernels/unary.js";

export { SimdMemoryError } from "./allocator.js";
export type { SimdMemory } from "./backend.js";
export {
  axpy,
  dualConv2D,
  dualConv2DBackpropFilter,
  l1Grad,
  l1Loss,
  reluGrad,
  reluGradConv2DBackpropInput,
} from "./fused.js";
export {
  Axpy,
  DualConv2D,
  DualConv2DBackpropFilter,
  L1Grad,
  L1Loss,
  ReluGrad,
  ReluGradConv2DBackpropInput,
} from "./kernels/names.js";

/** Above the plain JavaScript backend, below those of GPUs: what the library picks if none is set. */
const PRIORITY = 2;

tf.registerBackend(BACKEND_NAME, () => new SimdBackend(), PRIORITY);
registerBinaryKernels();
registerConvolutionKernels();
registerFusedKernels();
registerMoveKernels();
registerReductionKernels();
registerUnaryKernels();

/** Memory of the backend "simd", in bytes. Starts it if it has not been used yet. */
export function simdMemory(): SimdMemory {
  return (tf.findBackend(BACKEND_NAME) as SimdBackend).memory();
}
