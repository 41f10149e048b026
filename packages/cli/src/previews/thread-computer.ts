import { Worker } from "node:worker_threads";
import type { PreviewComputer, PreviewProblem } from "@mzsr/coordinator";
import { type Image, RunError } from "@mzsr/shared";
import type { PreviewAnswer, PreviewRequest } from "./preview-messages.js";

/** What a preview is: the LR image enlarged by the model as it is, and after the adaptation. */
interface Enlarged {
  readonly before: Image;
  readonly adapted: Image;
}

interface Waiting {
  readonly resolve: (enlarged: Enlarged) => void;
  readonly reject: (error: Error) => void;
}

/** Computes previews on a thread of low priority, which is started when the first one is wanted. */
export class ThreadComputer implements PreviewComputer {
  readonly #entry: URL;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #nextId = 0;

  /** @param entry the thread's script, where it is not beside this one */
  constructor(entry = new URL("./preview-thread.js", import.meta.url)) {
    this.#entry = entry;
  }

  compute(problem: PreviewProblem): Promise<Enlarged> {
    this.#thread ??= this.#start();
    const thread = this.#thread;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      thread.postMessage({ id, problem } satisfies PreviewRequest);
    });
  }

  /** Ends the thread; what waits is rejected. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#rejectAll("the run ends");
    await thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(this.#entry);
    thread.unref();
    thread.on("message", (answer: PreviewAnswer) => this.#hear(answer));
    thread.on("error", (error) => this.#rejectAll(error.message));
    thread.on("exit", () => {
      if (this.#thread === thread) this.#thread = undefined;
      this.#rejectAll("the preview thread ended");
    });
    return thread;
  }

  #hear(answer: PreviewAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("reason" in answer) waiting?.reject(new RunError(answer.reason));
    else waiting?.resolve(answer);
  }

  #rejectAll(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new RunError(reason));
    this.#waiting.clear();
  }
}
