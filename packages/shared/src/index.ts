export { Closers } from "./closers.js";
export { ConcurrencyBudget } from "./concurrency-budget.js";
export * from "./config/keys.js";
export * from "./config/load.js";
export { nearestName } from "./config/nearest.js";
export * from "./config/presets.js";
export * from "./config/schema.js";
export * from "./config/write.js";
export {
  ExactSum,
  ExactSums,
  LARGEST_COUNT,
  LARGEST_ELEMENT,
  mostSums,
  type SumBytes,
  type SumRejection,
} from "./exact-sums/exact-sum.js";
// HTTP
export * from "./http/answers.js";
export type { HttpGuardOptions } from "./http/guard.js";
export { HostNames, isLoopback, withoutPort } from "./http/known-hosts.js";
export { isSameSecret } from "./http/same-secret.js";
export * from "./http/server.js";
// protocol
export * from "./protocol/authorization.js";
export * from "./protocol/convert.js";
export * from "./protocol/coordinator-bytes.js";
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
export * from "./protocol/http-api.js";
export * from "./protocol/leadership.js";
export type * from "./protocol/messages.js";
export * from "./protocol/nats.js";
export { openNats } from "./protocol/nats-late-writes.js";
export * from "./protocol/nats-options.js";
export * from "./protocol/pem.js";
export * from "./protocol/proto.js";
export type * from "./protocol/records.js";
export * from "./protocol/status-reply.js";
export * from "./protocol/subjects.js";
export { isVisible, visible } from "./protocol/visible.js";
// tasks
export * from "./tasks/results.js";
export type * from "./tasks/task.js";
