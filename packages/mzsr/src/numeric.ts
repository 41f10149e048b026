/**
 * What the method computes, without Node's modules: for a browser, or any other JavaScript engine with WebAssembly. The
 * whole package (`@mzsr/mzsr`) has this and what reads and writes files.
 */
export {
  type Adaptation,
  type AdaptationOptions,
  type AdaptationProgress,
  adapt,
  defaultRates,
  type RateSchedule,
} from "./adaptation/adaptation.js";
export { type AdaptationPair, adaptationPairs } from "./adaptation/adaptation-pairs.js";
export { type Corner, structuredCrops } from "./adaptation/structured-crops.js";
export { BackendComputer } from "./computing/backend-computer.js";
export type {
  Descent,
  Enlarger,
  Learner,
  Network,
  NetworkComputer,
  Rates,
  Trainer,
} from "./computing/network-computer.js";
export { blur } from "./degradation/blur.js";
export { type CheckedKernel, checkedKernel, type KernelTreatment } from "./degradation/checked-kernel.js";
export {
  type DegradationOptions,
  type Downsampling,
  degrade,
  interpolateInPlace,
  interpolateLow,
  interpolatePart,
  type Noise,
} from "./degradation/degrade.js";
export {
  type BlurKernel,
  type GaussianShape,
  gaussianKernel,
  KERNEL_SIZE,
  LARGEST_KERNEL,
  PAPER_KERNELS,
  VARIANCE_RANGE,
} from "./degradation/kernel.js";
export {
  type Band,
  backProject,
  checkResultSize,
  type EnlargementOptions,
  enlargeInBands,
  enlargeWith,
  type SuperResolutionOptions,
  superResolve,
} from "./enlargement/enlargement.js";
export { type Tile, type TileSource, tileInput, writtenPart } from "./enlargement/tiles.js";
export * from "./errors.js";
export {
  createImage,
  cropImage,
  DIHEDRAL_TRANSFORMS,
  type Image,
  modCrop,
  toBytes,
  transformImage,
} from "./imaging/image.js";
export { GradientEnergy, type PatchGridOptions, patchGrid } from "./imaging/patch-grid.js";
export { psnrY, ssimY } from "./imaging/quality.js";
export { imresize, type Size, type Window } from "./imaging/resize.js";
export { describeEstimate } from "./kernel-estimation/describe-estimate.js";
export { type EstimateOptions, estimateKernelWith, type KernelEstimate } from "./kernel-estimation/estimate-kernel.js";
export {
  decodeEstimator,
  type EstimatorPart,
  encodeEstimator,
  estimateRoot,
  type KernelEstimator,
  partName,
} from "./kernel-estimation/estimator.js";
export { blurFeatures } from "./kernel-estimation/features.js";
export { fitEstimatorPart, type PhotoSample, widthError } from "./kernel-estimation/fit-estimator.js";
export { type KernelRoot, rootOf, widthsOf } from "./kernel-estimation/kernel-root.js";
export { lumaOf, type Plane } from "./kernel-estimation/luma.js";
export {
  drawSample,
  type JpegCodec,
  randomKernelShape,
  type SamplePlan,
  type TrainingSample,
  trainingSample,
} from "./kernel-estimation/training-sample.js";
export { Adam, type AdamOptions, type AdamState, type RateSegment } from "./meta-learning/adam.js";
export { type Loss, l1Loss, squaredLoss } from "./meta-learning/loss.js";
export { minibatchGradient } from "./meta-learning/loss-gradient.js";
export { type MetaGradient, type MetaProblem, metaGradient } from "./meta-learning/meta-gradient.js";
export { type AverageState, MovingAverage } from "./meta-learning/moving-average.js";
export type { PatchPairs } from "./meta-learning/patch-pairs.js";
export { stepWeights } from "./meta-learning/step-weights.js";
export { initialParameters, type NormalDraws } from "./model/initial.js";
export {
  type Architecture,
  axesReversed,
  CHANNELS,
  type LayoutEntry,
  metaLayout,
  type ParameterLayout,
  parameterLayout,
} from "./model/layout.js";
export {
  chooseScale,
  chooseWeights,
  decodeModel,
  encodeModel,
  type Model,
  type ModelParameters,
  scaleMetadata,
  scalesInWords,
  scalesOf,
  WEIGHT_CHOICES,
  type WeightChoice,
} from "./model/model.js";
export { downloadWeights, forward, uploadWeights, type Weights } from "./model/network.js";
export {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  type TensorData,
  type TensorFile,
} from "./model/safetensors.js";
export { enlargeBicubic, enlargeZssr, type ZssrPhoto, type ZssrPhotoOptions } from "./photo/enlarge-otherwise.js";
export {
  beginEnlargement,
  type EnlargedPhoto,
  type EnlargeOptions,
  enlarge,
  type PhotoBand,
  type PhotoEnlargement,
} from "./photo/enlarge-photo.js";
export type { CarriedData, Photo } from "./photo/photo.js";
export { Draws } from "./random/draws.js";
export { philox4x32 } from "./random/philox.js";
export { portableCos, portableExp, portableLog, portableSin } from "./random/portable-math.js";
export type { AnswerTo, NetworkRequest, PairGradient } from "./threads/network-requests.js";
export { NetworkThread } from "./threads/network-thread.js";
export { type AskThread, NetworkThreads } from "./threads/network-threads.js";
export { type ZssrOptions, type ZssrProgress, type ZssrResult, zssr } from "./zssr/zssr.js";
