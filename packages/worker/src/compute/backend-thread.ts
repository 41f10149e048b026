import { Worker } from "node:worker_threads";
import { keepFullPrecision } from "./backends.js";

/**
 * Starts a thread that starts a backend, whichever it is: every such thread comes from here, since what NVIDIA's libraries read of the
 * environment must be there before, and a thread cannot set it.
 */
export function backendThread(entry: URL, workerData: unknown): Worker {
  keepFullPrecision();
  return new Worker(entry, { workerData });
}
