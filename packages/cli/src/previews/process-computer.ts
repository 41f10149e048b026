import { type ChildProcess, fork } from "node:child_process";
import type { Preview, PreviewComputer, PreviewProblem } from "@mzsr/coordinator";
import { RunError } from "@mzsr/shared";
import { childExit } from "../up/children.js";
import type { PreviewAnswer, PreviewRequest } from "./preview-messages.js";

interface Waiting {
  readonly resolve: (preview: Preview) => void;
  readonly reject: (error: Error) => void;
}

/** Computes previews in a process of low priority, which is started when the first one is wanted and ends with this one. */
export class ProcessComputer implements PreviewComputer {
  readonly #entry: URL;
  readonly #waiting = new Map<number, Waiting>();
  #process: ChildProcess | undefined;
  #nextId = 0;

  /** @param entry the process's script, where it is not beside this one */
  constructor(entry = new URL("./preview-process.js", import.meta.url)) {
    this.#entry = entry;
  }

  compute(problem: PreviewProblem): Promise<Preview> {
    this.#process ??= this.#start();
    const child = this.#process;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      child.send({ id, problem } satisfies PreviewRequest);
    });
  }

  /** Ends the process; what waits is rejected. */
  async close(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    this.#rejectAll("the run ends");
    if (child?.kill("SIGKILL")) await childExit(child);
  }

  #start(): ChildProcess {
    const child = fork(this.#entry, { serialization: "advanced", detached: true, stdio: "ignore", execArgv: [] });
    child.on("message", (answer: PreviewAnswer) => this.#hear(answer));
    child.on("error", (error) => this.#rejectAll(error.message));
    child.on("exit", (code, signal) => {
      if (this.#process !== child) return;
      this.#process = undefined;
      this.#rejectAll(`the preview process ended with ${signal ?? `code ${code}`}`);
    });
    return child;
  }

  #hear(answer: PreviewAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("reason" in answer) waiting?.reject(new RunError(answer.reason));
    else waiting?.resolve(answer.preview);
  }

  #rejectAll(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new RunError(reason));
    this.#waiting.clear();
  }
}
