import { type ChildProcess, fork } from "node:child_process";
import { messageOf, RunError } from "@mzsr/mzsr";
import { childExit } from "../cluster/processes/children.js";
import { type Answer, HURRY, type Request } from "./messages.js";

const ENDED = "the run ends";

interface Waiting<Problem, Result> {
  readonly problem: Problem;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Computes in a process of low priority, which is started when the first result is wanted and never outlives this
 * one. In a hurry, another process of usual priority takes its place: who may lower a priority may not raise it again.
 */
export class ProcessComputer<Problem, Result> {
  readonly #entry: URL;
  readonly #name: string;
  readonly #arguments: readonly string[];
  readonly #waiting = new Map<number, Waiting<Problem, Result>>();
  #process: ChildProcess | undefined;
  #nextId = 0;
  #hurried = false;
  #closed = false;

  /** @param entry the process's script, which calls `serve` @param name for errors @param given its arguments */
  constructor(entry: URL, name: string, given: readonly string[] = []) {
    this.#entry = entry;
    this.#name = name;
    this.#arguments = given;
  }

  /** @throws RunError also once it is closed: no process is started then that nothing would end */
  async compute(problem: Problem): Promise<Result> {
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

  #send(id: number, problem: Problem): void {
    this.#process ??= this.#start();
    // A process that cannot be sent to says so by its end.
    this.#process.send({ id, problem } satisfies Request<Problem>, () => undefined);
  }

  #start(): ChildProcess {
    const child = fork(this.#entry, [...this.#arguments, ...(this.#hurried ? [HURRY] : [])], {
      serialization: "advanced",
      detached: true,
      // The process notices this one's end by that of its input.
      stdio: ["pipe", "ignore", "ignore", "ipc"],
      execArgv: [],
    });
    child.stdin!.on("error", () => undefined);
    child.on("message", (answer: Answer<Result>) => this.#hear(answer));
    child.on("error", (error) => {
      if (this.#process === child) this.#rejectAll(messageOf(error));
    });
    child.on("exit", (code, signal) => {
      if (this.#process !== child) return;
      this.#process = undefined;
      this.#rejectAll(`the ${this.#name} process ended with ${signal ?? `code ${code}`}`);
    });
    return child;
  }

  #hear(answer: Answer<Result>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("reason" in answer) waiting?.reject(new RunError(answer.reason));
    else waiting?.resolve(answer.result);
  }

  #rejectAll(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new RunError(reason));
    this.#waiting.clear();
  }
}
