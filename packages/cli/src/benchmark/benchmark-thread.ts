/** Entry of a thread that measures jobs, one after the other. */
import { workerData } from "node:worker_threads";
import type { Model } from "@mzsr/mzsr";
import { type BackendChoice, useBackend } from "../photos/use-backend.js";
import { serveTasks } from "../threads/serve-tasks.js";
import type { Job, JobResult } from "./job.js";
import { measure } from "./measure.js";

/** What is the same for all jobs. */
export interface ThreadData {
  readonly models: readonly Model[];
  readonly computing: BackendChoice;
}

const { models, computing } = workerData as ThreadData;
const started = useBackend(computing);
// Whoever asks for something hears of a failure.
started.catch(() => undefined);

serveTasks<Job, JobResult>(async (job) => {
  const { computer } = await started;
  return measure(job, models, computer);
});
