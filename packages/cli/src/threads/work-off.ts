/** Several tasks at a time, each in a thread with memory of its own. */
import type { Worker } from "node:worker_threads";
import { InputError, RunError } from "@mzsr/mzsr";
import { backendThread } from "@mzsr/worker";
import { askThread, type FinalAnswer } from "./ask-thread.js";

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
    thread ??= backendThread(url, workerData);
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
async function oneTask<Task, Report>(thread: Worker, task: Task, listener: TaskListener<Task, Report>): Promise<void> {
  const note = (text: string) => listener.noteOn?.(task, text);
  const answer = await askThread<Task, Report>(thread, task, note).catch((thrown: unknown) => {
    throw typeof thrown === "number" ? new RunError("the thread that worked on it ended") : thrown;
  });
  if (answer.kind === "done") listener.done(task, answer.report);
  else listener.failed(task, revived(answer));
}

/** An error loses its class on the way between threads. */
export function revived({ reason, where, expected }: Extract<FinalAnswer<unknown>, { kind: "failed" }>): Error {
  if (where === undefined) return new RunError(reason);
  return new InputError(reason, { where, ...(expected === undefined ? {} : { expected }) });
}
