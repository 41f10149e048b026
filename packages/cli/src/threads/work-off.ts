/** Several tasks at a time, each in a thread with memory of its own. */
import { Worker } from "node:worker_threads";
import { InputError, RunError } from "@mzsr/mzsr";
import type { ThreadAnswer } from "./messages.js";

export interface TaskListener<Task, Report> {
  noteOn?(task: Task, text: string): void;
  done(task: Task, report: Report): void;
  failed(task: Task, thrown: unknown): void;
}

export interface ThreadEntry {
  /** A module that calls `serveTasks`. */
  readonly url: URL;
  /** What is the same for all tasks; plain data. */
  readonly workerData: unknown;
}

/** Works off all, at most `jobs` at a time; each ends with `done` or `failed`. */
export async function workOff<Task, Report>(
  tasks: readonly Task[],
  jobs: number,
  entry: ThreadEntry,
  listener: TaskListener<Task, Report>,
): Promise<void> {
  const waiting = [...tasks];
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, () => oneThread(waiting, entry, listener)));
}

/** One thread takes one task after the other. A thread that breaks fails the task it had; another goes on. */
async function oneThread<Task, Report>(
  waiting: Task[],
  { url, workerData }: ThreadEntry,
  listener: TaskListener<Task, Report>,
): Promise<void> {
  let thread: Worker | undefined;
  for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
    thread ??= new Worker(url, { workerData });
    try {
      await oneTask(thread, task, listener);
    } catch (thrown) {
      listener.failed(task, thrown);
      await thread.terminate();
      thread = undefined;
    }
  }
  await thread?.terminate();
}

/** @throws what breaks the thread */
function oneTask<Task, Report>(thread: Worker, task: Task, listener: TaskListener<Task, Report>): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new RunError("the thread that worked on it ended"));
    const settle = () => {
      thread.off("message", hear).off("error", reject).off("exit", ended);
      resolve();
    };
    const hear = (answer: ThreadAnswer<Report>) => {
      if (answer.kind === "note") return listener.noteOn?.(task, answer.text);
      if (answer.kind === "done") listener.done(task, answer.report);
      else listener.failed(task, revived(answer));
      settle();
    };
    thread.on("message", hear).on("error", reject).on("exit", ended);
    thread.postMessage(task);
  });
}

/** An error loses its class on the way between threads. */
function revived({ reason, where, expected }: Extract<ThreadAnswer<unknown>, { kind: "failed" }>): Error {
  if (where === undefined) return new RunError(reason);
  return new InputError(reason, { where, ...(expected === undefined ? {} : { expected }) });
}
