/** The cluster under attack: its processes, and the supervisor that starts the coordinator and nats-server again. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ClusterStatus } from "@mzsr/shared";
import { ClusterProcess, deathGuard, type ProcessExit } from "./cluster-processes.js";

/** Where the command lies depends on whether this file was compiled. */
const BIN_FROM_HERE = import.meta.url.endsWith(".ts") ? "../.." : "../../../..";
const BIN = fileURLToPath(new URL(`${BIN_FROM_HERE}/packages/cli/dist/bin.js`, import.meta.url));

/** A supervisor does not start again at once what ended by itself. */
const PAUSE_MS = 500;
const STATUS_TIMEOUT_MS = 400;

export interface ClusterOptions {
  /** For logs, caches and NATS's store. */
  readonly folder: string;
  readonly runFolder: string;
  /** The configuration file; may be written anew between two starts of the coordinator. */
  readonly configuration: string;
  readonly ports: { readonly grpc: number; readonly http: number; readonly nats: number };
  readonly nats: boolean;
  /** Called whenever the coordinator has ended, before it is started again. */
  readonly onCoordinatorGone: () => Promise<void>;
}

export class Cluster {
  /** When the coordinator was started, each time; milliseconds since 1970. */
  readonly coordinatorStarts: number[] = [];
  /** Processes that ended though nobody asked them to, and what they said last. */
  readonly surprises: string[] = [];
  readonly #options: ClusterOptions;
  readonly #guard = deathGuard();
  readonly #workers = new Map<string, ClusterProcess>();
  #coordinator: ClusterProcess | undefined;
  #nats: ClusterProcess | undefined;
  #lives: Promise<void>[] = [];
  #coordinatorWanted = true;
  #ending = false;
  #completed = () => {};
  /** Resolves when a coordinator has ended by itself with success: the run is complete. */
  readonly completed = new Promise<void>((resolve) => {
    this.#completed = resolve;
  });

  constructor(options: ClusterOptions) {
    this.#options = options;
    mkdirSync(join(options.folder, "logs"), { recursive: true });
  }

  get coordinator(): ClusterProcess {
    return this.#coordinator!;
  }

  get nats(): ClusterProcess {
    return this.#nats!;
  }

  worker(name: string): ClusterProcess {
    return this.#workers.get(name)!;
  }

  /** Starts everything; from now on the coordinator and nats-server are started again whenever they end. */
  start(workers: readonly string[]): void {
    if (this.#options.nats) this.#lives.push(this.#keepNats());
    this.startCoordinator();
    for (const name of workers) this.startWorker(name);
  }

  startCoordinator(): void {
    this.#coordinatorWanted = true;
    this.#lives.push(this.#keepCoordinator());
  }

  /** Asks the coordinator to stop; it stays stopped. */
  async stopCoordinator(): Promise<ProcessExit> {
    this.#coordinatorWanted = false;
    const exit = await this.coordinator.terminate();
    await this.#options.onCoordinatorGone();
    return exit;
  }

  startWorker(name: string): ClusterProcess {
    const { folder, ports } = this.#options;
    const where = ["--coordinator", `127.0.0.1:${ports.grpc}`, "--cache-dir", join(folder, `cache-${name}`)];
    const worker = this.#mzsr(name, ["worker", ...where, "--name", name, "--slots", "1", "--backend", "simd"]);
    this.#workers.set(name, worker);
    void worker.exited.then((exit) => this.#judgeWorker(name, worker, exit));
    return worker;
  }

  /** Ends every process at once; the coordinator, nats-server and the workers come back. */
  async cutPower(): Promise<string[]> {
    const names = [...this.#workers.keys()];
    const killed = [...this.#workers.values(), this.coordinator, ...(this.#nats ? [this.#nats] : [])];
    await Promise.all(killed.map((process) => process.kill()));
    for (const name of names) this.startWorker(name);
    return names;
  }

  /** What the coordinator tells now; undefined while it does not answer. */
  async status(): Promise<ClusterStatus | undefined> {
    try {
      const signal = AbortSignal.timeout(STATUS_TIMEOUT_MS);
      const response = await fetch(`http://127.0.0.1:${this.#options.ports.http}/api/status`, { signal });
      return (await response.json()) as ClusterStatus;
    } catch {
      return undefined;
    }
  }

  /** Kills what is left. Resolves when nothing is. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#coordinatorWanted = false;
    const left = [this.#coordinator, this.#nats, ...this.#workers.values()];
    await Promise.all(left.map((process) => process?.kill()));
    await Promise.all(this.#lives);
  }

  async #keepCoordinator(): Promise<void> {
    const { configuration, runFolder, ports } = this.#options;
    const where = ["--port", String(ports.grpc), "--http-port", String(ports.http)];
    const words = ["coordinator", "--resume", "--config", configuration, "--run", runFolder, ...where];
    while (this.#coordinatorWanted) {
      this.coordinatorStarts.push(Date.now());
      const coordinator = this.#mzsr("coordinator", words);
      this.#coordinator = coordinator;
      const exit = await coordinator.exited;
      if (!this.#coordinatorWanted) return;
      await this.#options.onCoordinatorGone();
      if (exit.code === 0) return this.#completed();
      if (coordinator.sentenced) continue;
      this.#surprise("coordinator", coordinator, exit);
      await delay(PAUSE_MS);
    }
  }

  async #keepNats(): Promise<void> {
    const { folder, ports } = this.#options;
    const args = ["-a", "127.0.0.1", "-p", String(ports.nats), "-js", "-sd", join(folder, "nats")];
    while (!this.#ending) {
      const nats = this.#process("nats", "nats-server", args);
      this.#nats = nats;
      const exit = await nats.exited;
      if (this.#ending || nats.sentenced) continue;
      this.#surprise("nats", nats, exit);
      await delay(PAUSE_MS);
    }
  }

  #judgeWorker(name: string, worker: ClusterProcess, exit: ProcessExit): void {
    if (this.#workers.get(name) === worker) this.#workers.delete(name);
    if (!worker.sentenced && !this.#ending && exit.code !== 0) this.#surprise(name, worker, exit);
  }

  #surprise(name: string, process: ClusterProcess, { code, signal }: ProcessExit): void {
    this.surprises.push(`${name} ended by itself with ${signal ?? `code ${code}`}:\n${process.tail}`);
  }

  #mzsr(name: string, words: readonly string[]): ClusterProcess {
    const { nats, ports } = this.#options;
    const bus = nats ? ["--nats", `nats://127.0.0.1:${ports.nats}`] : [];
    return this.#process(name, process.execPath, [BIN, ...words, ...bus]);
  }

  #process(name: string, command: string, args: readonly string[]): ClusterProcess {
    const log = join(this.#options.folder, "logs", `${name}.log`);
    return new ClusterProcess({ command, args, log, guard: this.#guard });
  }
}
