/** Entry of a thread that enlarges photos, one after the other. */
import { workerData } from "node:worker_threads";
import { serveTasks } from "../../threads/serve-tasks.js";
import { beginBackend } from "../use-backend.js";
import { ComputeThreads } from "./compute-threads.js";
import { type EnlargeSettings, enlargeFile, type PhotoReport, type PhotoTask } from "./enlarge-file.js";

const settings = workerData as EnlargeSettings;
const started = beginBackend(settings.backend);

const threads = new ComputeThreads(settings.threads);

/** Photos from and to standard streams are not given to threads. */
const noStream = () => Promise.reject(new Error("a thread has no standard streams"));

serveTasks<PhotoTask, PhotoReport>(async (task, note) => {
  const nothing = () => undefined;
  const ready = async (photo: { readonly width: number; readonly height: number }) => {
    const backend = await started;
    return { backend, threads: threads.for(photo, backend) };
  };
  const computed = threads.makeRoom.bind(threads);
  const listener = { note, ready, phase: nothing, step: nothing, rows: nothing, computed };
  try {
    return await enlargeFile(task, settings, listener, { read: noStream, write: noStream });
  } catch (thrown) {
    await threads.end();
    throw thrown;
  }
});
