// core
export { CoordinatorCore, type CoreOptions } from "./core/coordinator-core.js";
export type * from "./core/events.js";
export { HEARTBEAT_SECONDS } from "./core/membership.js";
export { RunSchedule } from "./core/schedule.js";
export { sha256OfFloats, Trainer } from "./core/trainer.js";
export { initialTrainingState, type TrainingState } from "./core/training-state.js";
