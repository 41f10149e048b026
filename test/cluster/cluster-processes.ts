/** Real coordinators and workers as processes of the built command, for tests that kill them. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type ClusterStatus, type Configuration, writeConfiguration } from "@mzsr/shared";
import { BIN } from "@mzsr/testing/run-command";
import { onTestFailed, onTestFinished, vi } from "vitest";

const PATIENCE_MS = 60_000;

/** A process of the cluster. It is gone when the test is; what it said is told when the test fails. */
export class ClusterProcess {
  readonly #child: ChildProcess;
  #said = "";

  constructor(words: readonly string[]) {
    this.#child = spawn(process.execPath, [BIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#said += text;
      });
    }
    onTestFinished(() => this.kill());
    onTestFailed(() => console.error(`${words.join(" ")} said:\n${this.#said}`));
  }

  /** What it has printed so far. */
  get said(): string {
    return this.#said;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks it to end. Resolves with its exit code. */
  async terminate(): Promise<number | null> {
    await this.#end("SIGTERM");
    return this.#child.exitCode;
  }

  /** Freezes it. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  goOn(): void {
    this.#child.kill("SIGCONT");
  }

  /** Resolves with its exit code when it has ended. */
  async exit(): Promise<number | null> {
    if (this.running) await once(this.#child, "exit");
    return this.#child.exitCode;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    await ended;
  }
}

export interface CoordinatorProcessOptions {
  /** Holds the configuration, and the run folder `run`. */
  readonly folder: string;
  readonly configuration: Configuration;
  readonly port: number;
  readonly httpPort: number;
  readonly more?: readonly string[];
}

/** `mzsr coordinator` on a run folder of its own; resumes a run that is there. */
export async function coordinatorProcess(options: CoordinatorProcessOptions): Promise<ClusterProcess> {
  const { folder, configuration, port, httpPort, more = [] } = options;
  const file = join(folder, "configuration.yaml");
  await writeConfiguration(file, configuration);
  const ports = ["--port", String(port), "--http-port", String(httpPort)];
  return new ClusterProcess(["coordinator", "--config", file, "--run", join(folder, "run"), ...ports, ...more]);
}

/** `mzsr worker` with one slot. */
export function workerProcess(
  folder: string,
  port: number,
  name: string,
  more: readonly string[] = [],
): ClusterProcess {
  const cache = join(folder, `cache-${name}`);
  const where = ["--coordinator", `127.0.0.1:${port}`, "--cache-dir", cache];
  return new ClusterProcess(["worker", ...where, "--name", name, "--slots", "1", "--backend", "cpu", ...more]);
}

/** The status that a coordinator tells over HTTP; undefined while nobody answers. */
export async function statusAt(httpPort: number): Promise<ClusterStatus | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${httpPort}/api/status`);
    // Who stands by answers, but with no status.
    return response.ok ? ((await response.json()) as ClusterStatus) : undefined;
  } catch {
    return undefined;
  }
}

/** Resolves once a coordinator's status is as wanted. */
export function statusWhere(httpPort: number, wanted: (status: ClusterStatus) => boolean): Promise<ClusterStatus> {
  const ask = async () => {
    const status = await statusAt(httpPort);
    return status !== undefined && wanted(status) ? status : undefined;
  };
  return vi.waitUntil(ask, { timeout: PATIENCE_MS, interval: 20 }) as Promise<ClusterStatus>;
}
