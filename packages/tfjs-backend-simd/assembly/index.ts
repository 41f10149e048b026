// The WebAssembly module's exports: see src/wasm-exports.ts for their TypeScript face.

export {
  addFloat, addInteger, divideFloat, equalFloat, equalInteger, greaterEqualFloat, greaterEqualInteger, greaterFloat,
  greaterInteger, lessFloat, lessInteger, logicalAnd, maximumFloat, maximumInteger, minimumFloat, minimumInteger,
  multiplyFloat, multiplyInteger, select, subtractFloat, subtractInteger,
} from "./elementwise";
export { axpy, l1Gradient, l1Loss, reluGradient } from "./fused";
export {
  gatherConvolve, gatherConvolveScratch, gatherFilterGradient, gatherFilterGradientScratch, gatherGeometry,
} from "./gather";
export { copyStrided, fill } from "./move";
export { maximumRows, minimumRows, sumInner, sumIntegers, sumRows } from "./reduce";
export {
  absolute, booleanToFloat, booleanToInteger, clip, exponential, floatToBoolean, floatToInteger, integerToBoolean,
  integerToFloat, logarithm, negate, relu, sign, square, squareRoot, step,
} from "./unary";
export {
  winogradConvolve, winogradConvolveScratch, winogradFilterGradient, winogradFilterGradientScratch,
} from "./winograd";
