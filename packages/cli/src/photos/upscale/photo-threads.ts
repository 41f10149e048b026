/** Several photos at a time, each in a thread. */
import { type TaskListener, workOff } from "../../threads/work-off.js";
import type { EnlargeSettings, PhotoReport, PhotoTask } from "./enlarge-file.js";

export type PhotoListener = TaskListener<PhotoTask, PhotoReport>;

/** Enlarges all, at most `jobs` at a time; each ends with `done` or `failed`. */
export async function enlargeInThreads(
  tasks: readonly PhotoTask[],
  jobs: number,
  settings: EnlargeSettings,
  listener: PhotoListener,
): Promise<void> {
  await workOff(tasks, jobs, { url: new URL("./photo-thread.js", import.meta.url), workerData: settings }, listener);
}
