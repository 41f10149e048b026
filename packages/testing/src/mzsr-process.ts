/** The real `mzsr` command as a child process, for tests that need processes that can be stopped, killed and cut off. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { BIN } from "./run-command.js";

/** A line of the log: pino's JSON. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface MzsrOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What runs the command: `ip netns exec NAME`, for instance. */
  readonly under?: readonly string[];
}

/** Whether the command has been built. */
export function hasMzsr(): boolean {
  const built = existsSync(BIN);
  if (!built) console.warn("the mzsr command is not built: the tests that need it are skipped");
  return built;
}

export class MzsrProcess {
  /** Everything it said. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();

  constructor(args: readonly string[], { env = {}, under = [] }: MzsrOptions = {}) {
    const [command, ...rest] = [...under, process.execPath, BIN, ...args];
    this.#child = spawn(command!, rest, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        for (const listener of this.#listeners) listener();
      });
    }
    this.#child.once("close", () => {
      for (const listener of this.#listeners) listener();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** What it logged so far: those of its lines that are JSON. */
  get log(): LogLine[] {
    return this.lines.map(parsed).filter((line) => line !== undefined);
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The first log line that `matches`, once it is there. Rejects when the process ends without it. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine> {
    return this.#found(() => this.log.find(matches));
  }

  /** What the first group of `pattern` is in the first line that has it, once it is there. Rejects as `logged` does. */
  said(pattern: RegExp): Promise<string> {
    return this.#found(() => this.lines.map((line) => pattern.exec(line)?.[1]).find((group) => group !== undefined));
  }

  #found<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found === undefined && !this.#ended) return;
        this.#listeners.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`mzsr ended with ${this.#child.exitCode}:\n${this.lines.join("\n")}`));
      };
      this.#listeners.add(look);
      look();
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code; null when a signal ended it. */
  async exit(): Promise<number | null> {
    if (!this.#ended) await once(this.#child, "exit");
    return this.#child.exitCode;
  }

  /** Ends it now, even when it is stopped. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exit();
  }
}

function parsed(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
