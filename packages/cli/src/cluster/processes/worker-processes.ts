/** The workers of `mzsr up`: processes that are started again a few times when they die. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childExit, endChild } from "./children.js";

const RESTARTS = 3;
/** The exit code for bad input, which another start would not mend. */
const BAD_INPUT = 2;
/** How the line begins that tells why a command failed, and how many characters of it are kept. */
const OWN_WORDS = "mzsr: ";
const LONGEST_COMPLAINT = 2_000;
const FIRST_PAUSE_MS = 500;
const GRACE_MS = 10_000;
const BIN = fileURLToPath(new URL("../../bin.js", import.meta.url));

export interface WorkerProcessOptions {
  readonly count: number;
  /** Arguments of `mzsr worker` for one name. */
  readonly argumentsOf: (name: string) => readonly string[];
  readonly logFolder: string;
  readonly onNote: (text: string) => void;
}

export class WorkerProcesses {
  readonly #options: WorkerProcessOptions;
  readonly #running = new Map<string, ChildProcess>();
  readonly #lives: Promise<void>[];
  #stopping = false;
  #complaint: string | undefined;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    mkdirSync(options.logFolder, { recursive: true });
    this.#lives = Array.from({ length: options.count }, (_, i) => this.#keepAlive(`worker-${i + 1}`));
  }

  /** Resolves when no worker is left: all have been ended, have finished, or died too often. */
  get gone(): Promise<void> {
    return Promise.all(this.#lives).then(() => undefined);
  }

  /** What a worker that was not started again said was wrong with its input. */
  get complaint(): string | undefined {
    return this.#complaint;
  }

  /** From now on a worker that ends stays ended. */
  letGo(): void {
    this.#stopping = true;
  }

  /** Ends all of them. Resolves when they are gone. */
  async stop(): Promise<void> {
    this.letGo();
    await Promise.all([...this.#running.values()].map((child) => endChild(child, GRACE_MS)));
    await this.gone;
  }

  /** Kills them at once. */
  kill(): void {
    this.letGo();
    for (const child of this.#running.values()) child.kill("SIGKILL");
  }

  async #keepAlive(name: string): Promise<void> {
    for (let restarts = 0; !this.#stopping; restarts++) {
      const { child, lastWords } = this.#start(name);
      const { code, signal } = await childExit(child);
      this.#running.delete(name);
      if (code === 0 || this.#stopping) return;
      if (code === BAD_INPUT) {
        this.#complaint = await lastWords;
        return this.#options.onNote(`${name}: ${this.#complaint}`);
      }
      const log = join(this.#options.logFolder, `${name}.log`);
      const ended = `${name} ended with ${signal ?? `code ${code}`} (its log: ${log})`;
      if (restarts === RESTARTS) return this.#options.onNote(`${ended}; not started again after ${RESTARTS} restarts`);
      this.#options.onNote(`${ended}; starting it again`);
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** restarts));
    }
  }

  #start(name: string): { readonly child: ChildProcess; readonly lastWords: Promise<string> } {
    // The ipc channel is how a worker notices that this process is gone.
    const child = spawn(process.execPath, [BIN, "worker", ...this.#options.argumentsOf(name)], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    const log = createWriteStream(join(this.#options.logFolder, `${name}.log`), { flags: "a" });
    // A log that cannot be written (a full disk) is lost; what is said must be taken all the same, or the worker would stop.
    log.on("error", () => {
      child.stdout!.resume();
      child.stderr!.resume();
    });
    child.stdout!.pipe(log, { end: false });
    child.stderr!.pipe(log, { end: false });
    child.once("error", () => undefined);
    this.#running.set(name, child);
    let said = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-LONGEST_COMPLAINT);
    });
    const lastWords = new Promise<string>((resolve) => {
      child.once("close", () => {
        log.end();
        resolve(said.slice(said.lastIndexOf(OWN_WORDS) + OWN_WORDS.length).trim());
      });
    });
    return { child, lastWords };
  }
}
