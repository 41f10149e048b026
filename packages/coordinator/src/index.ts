// core

export { CoordinatorCore, type CoreOptions } from "./core/coordinator-core.js";
export type * from "./core/events.js";
export { HEARTBEAT_SECONDS } from "./core/membership.js";
export { RunSchedule } from "./core/schedule.js";
export { sha256OfFloats, Trainer } from "./core/trainer.js";
export { initialTrainingState, type TrainingState } from "./core/training-state.js";
export { ActivityLog } from "./history/activity-log.js";
export { type HistoryRange, StepHistory } from "./history/step-history.js";
export { storedStatus } from "./http/stored-run.js";
export { startViewServer, type ViewServer, type ViewServerOptions } from "./http/view-server.js";
export { type StandbyCoordinator, type StandbyOptions, startStandby } from "./leadership/standby.js";
export type {
  CoordinatorOptions,
  CoordinatorResult,
  PreviewOptions,
  RunningCoordinator,
  ValidationOptions,
} from "./options.js";
export type { Preview, PreviewComputer, PreviewProblem } from "./previews/preview-writer.js";
export { CheckpointStore } from "./run/checkpoints.js";
export { finishedModel } from "./run/finished-model.js";
export { checkReplaceable } from "./run/fresh-start.js";
export { readStart, type StartModel } from "./run/initial-state.js";
export { type MetricsLine, readMetrics, summaryOf } from "./run/metrics-log.js";
export { removeRun } from "./run/remove-run.js";
export { removeReport } from "./run/run-contents.js";
export { runPaths } from "./run/run-folder.js";
export { foreignFolder, runFolderState, unclaimRunFolder } from "./run/run-marker.js";
export type { TlsOptions } from "./server/credentials.js";
export { newTokenId, SHORTEST_SIGNING_SECRET, signJoinToken } from "./server/join-token.js";
export { parseTokenList, type TokenListLine } from "./server/token-list.js";
// shells
export { startCoordinator } from "./start-coordinator.js";
export { type Dataset, type DatasetFile, loadDataset } from "./tasks/dataset.js";
export { drawTask } from "./tasks/draw-task.js";
export type {
  Measurement,
  ValidationComputer,
  ValidationKernel,
  ValidationProblem,
} from "./validation/validation-computer.js";
