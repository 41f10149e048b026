/** The cluster under attack: its processes, and the supervisor that starts coordinators and nats-server again. */
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ClusterStatus } from "@mzsr/shared";
import { BIN } from "@mzsr/testing/run-command";
import { ClusterProcess, deathGuard, type ProcessExit } from "./cluster-processes.js";

/** A supervisor does not start again at once what ended by itself. */
const PAUSE_MS = 500;
const STATUS_TIMEOUT_MS = 400;

/** A place for a coordinator, which is always started there again. */
export interface CoordinatorPlace {
  readonly name: string;
  readonly runFolder: string;
  readonly grpcPort: number;
  readonly httpPort: number;
}

export interface ClusterOptions {
  /** For logs, caches and NATS's store. */
  readonly folder: string;
  /** With more than one, the coordinators stand by for each other; their run folders must have one name. */
  readonly coordinators: readonly CoordinatorPlace[];
  /** The configuration file; may be written anew between two starts of the coordinators. */
  readonly configuration: string;
  /** Undefined: no nats-server. */
  readonly natsPort: number | undefined;
  /** Called whenever a coordinator has ended, before it is started again. */
  readonly onCoordinatorGone: () => Promise<void>;
}

interface Seat extends CoordinatorPlace {
  process: ClusterProcess | undefined;
}

export interface Answer {
  readonly status: ClusterStatus;
  /** Who answered: another number for every process. */
  readonly life: number;
}

export class Cluster {
  /** When a coordinator was started, each time; milliseconds since 1970. */
  readonly coordinatorStarts: number[] = [];
  /** Processes that ended though nobody asked them to, and what they said last. */
  readonly surprises: string[] = [];
  readonly #options: ClusterOptions;
  readonly #seats: readonly Seat[];
  readonly #guard = deathGuard();
  readonly #workers = new Map<string, ClusterProcess>();
  readonly #lives: Promise<void>[] = [];
  #leader: Seat;
  #nats: ClusterProcess | undefined;
  #coordinatorsWanted = false;
  #ending = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#seats = options.coordinators.map((place) => ({ ...place, process: undefined }));
    this.#leader = this.#seats[0]!;
    mkdirSync(join(options.folder, "logs"), { recursive: true });
  }

  /** The coordinator that answered last. */
  get coordinator(): ClusterProcess {
    return this.#leader.process!;
  }

  get nats(): ClusterProcess {
    return this.#nats!;
  }

  worker(name: string): ClusterProcess {
    return this.#workers.get(name)!;
  }

  /** Starts nats-server, which is started again whenever it ends. */
  startNats(): void {
    if (this.#options.natsPort !== undefined) this.#lives.push(this.#keepNats(this.#options.natsPort));
  }

  /**
   * Starts the coordinators, which are started again whenever they end. Resolves when all of them have ended by
   * themselves with success: the run is complete.
   */
  async runCoordinators(): Promise<void> {
    this.#coordinatorsWanted = true;
    const lives = this.#seats.map((seat) => this.#keepCoordinator(seat));
    this.#lives.push(...lives);
    await Promise.all(lives);
  }

  /** Asks the coordinators to stop; they stay stopped. Resolves with how the leading one ended. */
  async stopCoordinators(): Promise<ProcessExit> {
    this.#coordinatorsWanted = false;
    const leader = this.coordinator;
    await Promise.all(this.#seats.map(({ process }) => process!.terminate()));
    await this.#options.onCoordinatorGone();
    return leader.exited;
  }

  startWorker(name: string): ClusterProcess {
    const cache = ["--cache-dir", join(this.#options.folder, `cache-${name}`)];
    const worker = this.#mzsr(name, ["worker", ...this.#whereTo, ...cache, "--name", name, "--slots", "1"]);
    this.#workers.set(name, worker);
    void worker.exited.then((exit) => this.#judgeWorker(name, worker, exit));
    return worker;
  }

  /** Ends every process at once; the coordinators, nats-server and the workers come back. */
  async cutPower(): Promise<string[]> {
    const names = [...this.#workers.keys()];
    await this.#killAll();
    for (const name of names) this.startWorker(name);
    return names;
  }

  /** What the leading coordinator tells now; undefined while none answers. */
  async status(): Promise<Answer | undefined> {
    const answers = await Promise.all(this.#seats.map((seat) => this.#ask(seat)));
    const at = answers.findIndex((answer) => answer !== undefined);
    if (at >= 0) this.#leader = this.#seats[at]!;
    return answers[at];
  }

  /** Kills what is left. Resolves when nothing is. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#coordinatorsWanted = false;
    await this.#killAll();
    await Promise.all(this.#lives);
  }

  /** How a worker finds its coordinator. */
  get #whereTo(): readonly string[] {
    const [{ runFolder, grpcPort }] = this.#seats as [Seat, ...Seat[]];
    if (this.#seats.length > 1) return ["--run", basename(runFolder)];
    return ["--coordinator", `127.0.0.1:${grpcPort}`];
  }

  async #keepCoordinator(seat: Seat): Promise<void> {
    const { name, runFolder, grpcPort, httpPort } = seat;
    const where = ["--port", String(grpcPort), "--http-port", String(httpPort)];
    const mode = this.#seats.length > 1 ? "--standby" : "--resume";
    const words = ["coordinator", mode, "--config", this.#options.configuration, "--run", runFolder, ...where];
    while (this.#coordinatorsWanted) {
      this.coordinatorStarts.push(Date.now());
      const coordinator = this.#mzsr(name, words);
      seat.process = coordinator;
      const exit = await coordinator.exited;
      if (!this.#coordinatorsWanted) return;
      await this.#options.onCoordinatorGone();
      if (exit.code === 0) return;
      if (coordinator.sentenced) continue;
      this.#surprise(name, coordinator, exit);
      await delay(PAUSE_MS);
    }
  }

  async #keepNats(port: number): Promise<void> {
    const args = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", join(this.#options.folder, "nats")];
    while (!this.#ending) {
      const nats = this.#process("nats", "nats-server", args);
      this.#nats = nats;
      const exit = await nats.exited;
      if (this.#ending || nats.sentenced) continue;
      this.#surprise("nats", nats, exit);
      await delay(PAUSE_MS);
    }
  }

  async #ask({ httpPort, process }: Seat): Promise<Answer | undefined> {
    try {
      const signal = AbortSignal.timeout(STATUS_TIMEOUT_MS);
      const response = await fetch(`http://127.0.0.1:${httpPort}/api/status`, { signal });
      // Who stands by answers, but with no status.
      if (!response.ok) return undefined;
      return { status: (await response.json()) as ClusterStatus, life: process!.pid };
    } catch {
      return undefined;
    }
  }

  async #killAll(): Promise<void> {
    const all = [...this.#workers.values(), this.#nats, ...this.#seats.map(({ process }) => process)];
    await Promise.all(all.map((process) => process?.kill()));
  }

  #judgeWorker(name: string, worker: ClusterProcess, exit: ProcessExit): void {
    if (this.#workers.get(name) === worker) this.#workers.delete(name);
    if (!worker.sentenced && !this.#ending && exit.code !== 0) this.#surprise(name, worker, exit);
  }

  #surprise(name: string, process: ClusterProcess, { code, signal }: ProcessExit): void {
    this.surprises.push(`${name} ended by itself with ${signal ?? `code ${code}`}:\n${process.tail}`);
  }

  #mzsr(name: string, words: readonly string[]): ClusterProcess {
    const { natsPort } = this.#options;
    const bus = natsPort === undefined ? [] : ["--nats", `nats://127.0.0.1:${natsPort}`];
    return this.#process(name, process.execPath, [BIN, ...words, "--backend", "simd", ...bus]);
  }

  #process(name: string, command: string, args: readonly string[]): ClusterProcess {
    const log = join(this.#options.folder, "logs", `${name}.log`);
    return new ClusterProcess({ command, args, log, guard: this.#guard });
  }
}
