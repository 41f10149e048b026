import { type ChildProcess, fork } from "node:child_process";
import type { Preview, PreviewComputer, PreviewProblem } from "@mzsr/coordinator";
import { messageOf, RunError } from "@mzsr/mzsr";
import { childExit } from "../cluster/processes/children.js";
import { HURRY, type PreviewAnswer, type PreviewRequest } from "./preview-messages.js";

const ENDED = "the run ends";

interface Waiting {
  readonly problem: PreviewProblem;
  readonly resolve: (preview: Preview) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Computes previews in a process of low priority, which is started when the first one is wanted and never outlives this
 * one. In a hurry, another process of usual priority takes its place: who may lower a priority may not raise it again.
 */
export class ProcessComputer implements PreviewComputer {
  readonly #entry: URL;
  readonly #waiting = new Map<number, Waiting>();
  #process: ChildProcess | undefined;
  #nextId = 0;
  #hurried = false;
  #closed = false;

  /** @param entry the process's script, where it is not beside this one */
  constructor(entry = new URL("./preview-process.js", import.meta.url)) {
    this.#entry = entry;
  }

  /** @throws RunError also once it is closed: no process is started then that nothing would end */
  async compute(problem: PreviewProblem): Promise<Preview> {
    if (this.#closed) throw new RunError(ENDED);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { problem, resolve, reject });
      this.#send(id, problem);
    });
  }

  hurry(): void {
    if (this.#hurried) return;
    this.#hurried = true;
    this.#process?.kill("SIGKILL");
    this.#process = undefined;
    for (const [id, { problem }] of this.#waiting) this.#send(id, problem);
  }

  /** Ends the process; what waits is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#process;
    this.#process = undefined;
    this.#rejectAll(ENDED);
    if (child?.kill("SIGKILL")) await childExit(child);
  }

  #send(id: number, problem: PreviewProblem): void {
    this.#process ??= this.#start();
    // A process that cannot be sent to says so by its end.
    this.#process.send({ id, problem } satisfies PreviewRequest, () => undefined);
  }

  #start(): ChildProcess {
    const child = fork(this.#entry, this.#hurried ? [HURRY] : [], {
      serialization: "advanced",
      detached: true,
      // The process notices this one's end by that of its input.
      stdio: ["pipe", "ignore", "ignore", "ipc"],
      execArgv: [],
    });
    child.stdin!.on("error", () => undefined);
    child.on("message", (answer: PreviewAnswer) => this.#hear(answer));
    child.on("error", (error) => {
      if (this.#process === child) this.#rejectAll(messageOf(error));
    });
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
