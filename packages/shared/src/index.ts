export * from "./config/keys.js";
export * from "./config/load.js";
export { nearestName } from "./config/nearest.js";
export * from "./config/presets.js";
export * from "./config/schema.js";
export * from "./config/write.js";
export * from "./errors.js";
export { Adam, type AdamOptions, type AdamState, type RateSegment } from "./meta/adam.js";
export { minibatchGradient } from "./meta/loss-gradient.js";
export { type MetaGradient, type MetaProblem, metaGradient } from "./meta/meta-gradient.js";
export type { PatchPairs } from "./meta/patch-pairs.js";
export { stepWeights } from "./meta/step-weights.js";
export { initialParameters, type NormalDraws } from "./model/initial.js";
export {
  type Architecture,
  CHANNELS,
  type LayoutEntry,
  metaLayout,
  type ParameterLayout,
  parameterLayout,
} from "./model/layout.js";
export { downloadWeights, forward, uploadWeights, type Weights } from "./model/network.js";
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
export type * from "./protocol/messages.js";
export * from "./protocol/nats.js";
export * from "./protocol/nats-options.js";
export * from "./protocol/proto.js";
export * from "./protocol/subjects.js";
export * from "./runs/activity-log.js";
export type * from "./runs/records.js";
export { type HistoryRange, StepHistory } from "./runs/step-history.js";
export type * from "./tasks/task.js";
