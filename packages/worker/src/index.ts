export { backendThread } from "./compute/backend-thread.js";
export { type BackendStarter, backendStarters, startBackend, usesOneCore } from "./compute/backends.js";
export type { StartedBackend } from "./compute/compute-messages.js";
export { type FoundGpu, findGpu } from "./gpu/find-gpu.js";
export type { RunningWorker, WorkerEnd, WorkerOptions } from "./options.js";
export { type PhotoBackend, type PhotoBackendOptions, startPhotoBackend } from "./photo/photo-backend.js";
export type { ClientTls } from "./session/credentials.js";
export * from "./session/worker-session.js";
export { startWorker } from "./start-worker.js";
