import type { Transferable, Worker } from "node:worker_threads";
import type { ThreadAnswer } from "./messages.js";

/** How a thread's work on a task ended. */
export type FinalAnswer<Report> = Exclude<ThreadAnswer<Report>, { kind: "note" }>;

/**
 * Gives a thread that calls `serveTasks` a task, and waits for what comes of it. One at a time.
 *
 * @param note told what the thread has to say meanwhile
 * @param transfer memory that goes to the thread
 * @throws the error that broke the thread, or its exit code where it ended without one
 */
export function askThread<Task, Report>(
  thread: Worker,
  task: Task,
  note: (text: string) => void = () => undefined,
  transfer: readonly Transferable[] = [],
): Promise<FinalAnswer<Report>> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => {
      thread.off("message", hear).off("error", broken).off("exit", broken);
      outcome();
    };
    const broken = (thrown: unknown) => settle(() => reject(thrown));
    const hear = (answer: ThreadAnswer<Report>) => {
      if (answer.kind === "note") note(answer.text);
      else settle(() => resolve(answer));
    };
    thread.on("message", hear).on("error", broken).on("exit", broken);
    thread.postMessage(task, [...transfer]);
  });
}
