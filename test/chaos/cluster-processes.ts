/** A process of the campaign's cluster: it writes to a log of its own and does not outlive this one. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** What it prints goes to the end of this file. */
  readonly log: string;
  /** From `deathGuard`. */
  readonly guard: readonly string[];
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const TAIL_LINES = 12;

/**
 * What a command is started under, so that the kernel ends it when this process is gone, however it went. Nothing where
 * there is no setpriv: then only this process's own exits end the command.
 */
export function deathGuard(): readonly string[] {
  const guard = ["setpriv", "--pdeathsig", "KILL"];
  return spawnSync(guard[0]!, ["--version"]).status === 0 ? guard : [];
}

export class ClusterProcess {
  /** Milliseconds since 1970. */
  readonly startedMs = Date.now();
  readonly exited: Promise<ProcessExit>;
  readonly log: string;
  readonly #child: ChildProcess;
  #sentenced = false;

  constructor({ command, args, log, guard }: ProcessOptions) {
    this.log = log;
    const [program, ...words] = [...guard, command, ...args];
    const output = openSync(log, "a");
    // A session of its own: Ctrl-C is for the campaign, which ends its processes in order.
    this.#child = spawn(program!, words, { stdio: ["ignore", output, output], detached: true });
    closeSync(output);
    this.exited = once(this.#child, "exit").then(([code, signal]) => ({ code, signal }));
    this.exited.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Somebody asked for its end, so that it is no surprise. */
  get sentenced(): boolean {
    return this.#sentenced;
  }

  /** Its end is no surprise from now on. */
  letGo(): void {
    this.#sentenced = true;
  }

  /** Ends it as a power cut would, also when it is frozen. */
  async kill(): Promise<ProcessExit> {
    return this.#end("SIGKILL");
  }

  /** Asks it to end. */
  async terminate(): Promise<ProcessExit> {
    return this.#end("SIGTERM");
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** What it said last. */
  get tail(): string {
    return readFileSync(this.log, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  }

  #end(signal: NodeJS.Signals): Promise<ProcessExit> {
    this.#sentenced = true;
    if (this.running) this.#child.kill(signal);
    return this.exited;
  }
}
