/** Several photos at a time, each in a thread. */
import { Worker } from "node:worker_threads";
import { InputError, RunError } from "@mzsr/mzsr";
import type { EnlargeSettings, PhotoReport, PhotoTask } from "./enlarge-file.js";
import type { ThreadAnswer } from "./photo-thread.js";

export interface PhotoListener {
  noteOn(task: PhotoTask, text: string): void;
  done(task: PhotoTask, report: PhotoReport): void;
  failed(task: PhotoTask, thrown: unknown): void;
}

/** Enlarges all, at most `jobs` at a time; each ends with `done` or `failed`. */
export async function enlargeInThreads(
  tasks: readonly PhotoTask[],
  jobs: number,
  settings: EnlargeSettings,
  listener: PhotoListener,
): Promise<void> {
  const waiting = [...tasks];
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, () => workOff(waiting, settings, listener)));
}

/** One thread takes one photo after the other. A thread that breaks fails the photo it had; another goes on. */
async function workOff(waiting: PhotoTask[], settings: EnlargeSettings, listener: PhotoListener): Promise<void> {
  let thread: Worker | undefined;
  for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
    thread ??= new Worker(new URL("./photo-thread.js", import.meta.url), { workerData: settings });
    try {
      await enlargeIn(thread, task, listener);
    } catch (thrown) {
      listener.failed(task, thrown);
      await thread.terminate();
      thread = undefined;
    }
  }
  await thread?.terminate();
}

/** @throws what breaks the thread */
function enlargeIn(thread: Worker, task: PhotoTask, listener: PhotoListener): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new RunError("the thread that enlarged it ended"));
    const settle = () => {
      thread.off("message", hear).off("error", reject).off("exit", ended);
      resolve();
    };
    const hear = (answer: ThreadAnswer) => {
      if (answer.kind === "note") return listener.noteOn(task, answer.text);
      if (answer.kind === "done") listener.done(task, answer.report);
      else listener.failed(task, revived(answer));
      settle();
    };
    thread.on("message", hear).on("error", reject).on("exit", ended);
    thread.postMessage(task);
  });
}

/** An error loses its class on the way between threads. */
function revived({ reason, where, expected }: Extract<ThreadAnswer, { kind: "failed" }>): Error {
  if (where === undefined) return new RunError(reason);
  return new InputError(reason, { where, ...(expected === undefined ? {} : { expected }) });
}
