/** Entry of a thread that enlarges photos, one after the other. */
import { workerData } from "node:worker_threads";
import { serveTasks } from "../../threads/serve-tasks.js";
import { useBackend } from "../use-backend.js";
import { type EnlargeSettings, enlargeFile, type PhotoReport, type PhotoTask } from "./enlarge-file.js";

const settings = workerData as EnlargeSettings;
const started = useBackend(settings.backend);
// Whoever waits for it hears of a failure.
started.catch(() => undefined);

/** Photos from and to standard streams are not given to threads. */
const noStream = () => Promise.reject(new Error("a thread has no standard streams"));

serveTasks<PhotoTask, PhotoReport>((task, note) => {
  const listener = { note, ready: () => started, step: () => undefined };
  return enlargeFile(task, settings, listener, { read: noStream, write: noStream });
});
