export { Closers } from "./closers.js";
export { ConcurrencyBudget } from "./concurrency-budget.js";
export * from "./config/keys.js";
export * from "./config/load.js";
export { nearestName } from "./config/nearest.js";
export * from "./config/presets.js";
export * from "./config/schema.js";
export * from "./config/write.js";
export { blur } from "./degradation/blur.js";
export { type CheckedKernel, checkedKernel, type KernelTreatment } from "./degradation/checked-kernel.js";
export {
  type DegradationOptions,
  type Downsampling,
  degrade,
  interpolateLow,
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
export { type LoadedKernel, loadKernel } from "./degradation/kernel-source.js";
export * from "./errors.js";
export {
  ExactSum,
  ExactSums,
  LARGEST_COUNT,
  LARGEST_ELEMENT,
  type SumBytes,
  type SumObjection,
} from "./exact-sums/exact-sum.js";
export { type BadImage, badImage, badImagesError } from "./imaging/bad-images.js";
export {
  createImage,
  cropImage,
  DIHEDRAL_TRANSFORMS,
  type Image,
  modCrop,
  toBytes,
  transformImage,
} from "./imaging/image.js";
export {
  countPixels,
  encodePng,
  LARGEST_PIXELS,
  type LoadedImage,
  listImages,
  readImage,
  readImageBytes,
  readImageSize,
  SMALLEST_SIDE,
  writePng,
} from "./imaging/image-file.js";
export { reasonOf } from "./imaging/input-file.js";
export { psnrY, ssimY } from "./imaging/quality.js";
export { imresize } from "./imaging/resize.js";
export { Adam, type AdamOptions, type AdamState, type RateSegment } from "./meta/adam.js";
export {
  type Adaptation,
  type AdaptationOptions,
  type AdaptationProgress,
  adapt,
  defaultRates,
  type RateSchedule,
} from "./meta/adaptation.js";
export {
  backProject,
  checkResultSize,
  type EnlargementOptions,
  enlarge,
  type SuperResolutionOptions,
  superResolve,
} from "./meta/enlargement.js";
export { type Loss, l1Loss, squaredLoss } from "./meta/loss.js";
export { minibatchGradient } from "./meta/loss-gradient.js";
export { type MetaGradient, type MetaProblem, metaGradient } from "./meta/meta-gradient.js";
export type { PatchPairs } from "./meta/patch-pairs.js";
export { stepWeights } from "./meta/step-weights.js";
export { type Corner, structuredCrops } from "./meta/structured-crops.js";
export { probeWriting, removeUnfinished, writeFileAtomically } from "./model/atomic-file.js";
export { crc32cTable, maskedCrc } from "./model/crc32c.js";
export { initialParameters, type NormalDraws } from "./model/initial.js";
export {
  type Architecture,
  CHANNELS,
  type LayoutEntry,
  metaLayout,
  type ParameterLayout,
  parameterLayout,
} from "./model/layout.js";
export { decodeModel, encodeModel, type Model, readModel, writeModel } from "./model/model-file.js";
export { downloadWeights, forward, uploadWeights, type Weights } from "./model/network.js";
export {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  type TensorData,
  type TensorFile,
} from "./model/safetensors.js";
export { importTf1Checkpoint } from "./model/tf1-checkpoint.js";
// protocol
export * from "./protocol/convert.js";
export * from "./protocol/float-bytes.js";
export type {
  ClusterClient,
  ClusterHandlers,
} from "./protocol/generated/mzsr/v1/Cluster.generated.js";
export type {
  CoordinatorMessage,
  CoordinatorMessage__Output,
} from "./protocol/generated/mzsr/v1/CoordinatorMessage.generated.js";
export type { ImageChunk, ImageChunk__Output } from "./protocol/generated/mzsr/v1/ImageChunk.generated.js";
export type { ImageRequest, ImageRequest__Output } from "./protocol/generated/mzsr/v1/ImageRequest.generated.js";
export type { WorkerMessage, WorkerMessage__Output } from "./protocol/generated/mzsr/v1/WorkerMessage.generated.js";
export * from "./protocol/heartbeat.js";
// runs and what HTTP tells of them
export * from "./protocol/http-api.js";
export * from "./protocol/leadership.js";
export type * from "./protocol/messages.js";
export * from "./protocol/nats.js";
export { openNats } from "./protocol/nats-late-writes.js";
export * from "./protocol/nats-options.js";
export * from "./protocol/pem.js";
export * from "./protocol/proto.js";
export * from "./protocol/subjects.js";
export { Draws } from "./random/draws.js";
export { philox4x32 } from "./random/philox.js";
export { portableCos, portableExp, portableLog, portableSin } from "./random/portable-math.js";
export * from "./runs/activity-log.js";
export type * from "./runs/records.js";
export { type HistoryRange, StepHistory } from "./runs/step-history.js";
export { LARGEST_SECRET_BYTES, readSmallFile } from "./small-file.js";
// tasks
export { type Dataset, type DatasetFile, loadDataset } from "./tasks/dataset.js";
export { drawTask } from "./tasks/draw-task.js";
export { GradientEnergy, type PatchGridOptions, patchGrid } from "./tasks/patch-grid.js";
export { type PatchIndex, type PatchPosition, PatchPositions } from "./tasks/patch-positions.js";
export type * from "./tasks/task.js";
export { type PatchReader, type TaskData, taskCrops, taskData } from "./tasks/task-data.js";
