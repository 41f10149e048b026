// Kernels beyond the library's, run by `tf.engine().runKernel(name, inputs, attributes)`; fused.ts has typed functions.

export const ReluGrad = "ReluGrad";
export const ReluGradConv2DBackpropInput = "ReluGradConv2DBackpropInput";
export const DualConv2D = "DualConv2D";
export const DualConv2DBackpropFilter = "DualConv2DBackpropFilter";
export const L1Grad = "L1Grad";
export const L1Loss = "L1Loss";
export const Axpy = "Axpy";
