import type { Worker } from "node:worker_threads";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
import { backendThread } from "./backend-thread.js";

/** What a thread says that cannot start. */
interface Broken {
  readonly type: "broken";
  readonly reason: string;
  readonly badInput: boolean;
}

/**
 * Starts a thread and waits until it says that it is ready.
 *
 * @param name for errors: `the compute thread`
 * @throws InputError or RunError with the thread's reason
 */
export async function startThread<Ready extends { readonly type: "ready" }>(
  name: string,
  entry: URL,
  workerData: unknown,
): Promise<{ readonly worker: Worker; readonly ready: Ready }> {
  const worker = backendThread(entry, workerData);
  try {
    return { worker, ready: await firstWord<Ready>(worker, name) };
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

function firstWord<Ready extends { readonly type: "ready" }>(worker: Worker, name: string): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      worker.off("message", hear).off("error", fail).off("exit", end);
      action();
    };
    const hear = (message: Ready | Broken) => {
      if (message.type === "ready") settle(() => resolve(message as Ready));
      if (message.type !== "broken") return;
      settle(() => reject(message.badInput ? new InputError(message.reason) : new RunError(message.reason)));
    };
    const fail = (error: Error) => settle(() => reject(new RunError(`${name} did not start: ${messageOf(error)}`)));
    const end = (code: number) => settle(() => reject(new RunError(`${name} ended at its start with code ${code}`)));
    worker.on("message", hear).on("error", fail).on("exit", end);
  });
}
