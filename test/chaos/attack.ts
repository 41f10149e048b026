/** Carries out a schedule of faults on a cluster. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ClusterStatus } from "@mzsr/shared";
import type { Cluster } from "./cluster.js";
import type { ClusterProcess } from "./cluster-processes.js";
import type { SmallDisk } from "./disk.js";
import { fillDisk } from "./disk-fault.js";
import type { Fault, FaultKind } from "./faults.js";
import type { Observer } from "./observer.js";

const CALM_STEPS = 3;

export interface InjectedFault extends Fault {
  /** When it began and ended, milliseconds since 1970; a kill has no length. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A worker's process: since when, and since when it computes. */
export interface WorkerStart {
  readonly worker: string;
  readonly startedMs: number;
  /** Undefined when it ended first, or nobody was there to give it a task. */
  readonly firstTaskMs: number | undefined;
}

export interface AttackOptions {
  readonly cluster: Cluster;
  readonly observer: Observer;
  readonly folder: string;
  readonly runFolder: string;
  readonly disk: SmallDisk | undefined;
  readonly signal: AbortSignal;
  readonly onFault: (fault: Fault) => void;
}

export class Attack {
  readonly injected: InjectedFault[] = [];
  readonly problems: string[] = [];
  readonly #options: AttackOptions;
  readonly #starts: { worker: string; startedMs: number; process: ClusterProcess; firstTaskMs?: number | undefined }[] =
    [];
  readonly #freezes: Promise<void>[] = [];
  /** When the schedule's clock began, as if it had never stood still. */
  #begunMs = Date.now();

  constructor(options: AttackOptions) {
    this.#options = options;
  }

  /** Workers that joined or came back, in order. */
  get workerStarts(): WorkerStart[] {
    for (const start of this.#starts) this.#noteFirstTask(start);
    return this.#starts.map(({ worker, startedMs, firstTaskMs }) => ({ worker, startedMs, firstTaskMs }));
  }

  /** Resolves when all faults have struck and are over. The clock stands still while the disk is full. */
  async run(schedule: readonly Fault[]): Promise<void> {
    const { signal, onFault } = this.#options;
    this.#begunMs = Date.now();
    for (const fault of schedule) {
      await delay(Math.max(0, this.#begunMs + 1000 * fault.atSeconds - Date.now()), undefined, { signal });
      onFault(fault);
      const fromMs = Date.now();
      await this.#strike(fault, fromMs);
      if (fault.kind === "disk-full") this.#begunMs += Date.now() - fromMs;
    }
    await Promise.all(this.#freezes);
  }

  /**
   * One fault at a time, each after the last one is over, to measure what it costs: a worker joins, is killed in the
   * middle of a task, and the coordinator is killed.
   */
  async drill(rounds: number): Promise<void> {
    const { observer } = this.#options;
    for (let round = 1; round <= rounds; round++) {
      const worker = `drill-${round}`;
      const computes = ({ workers }: ClusterStatus) => workers.some((w) => w.worker === worker && w.busySlots > 0);
      await this.#drillOne("worker-join", worker);
      await observer.until(computes);
      await this.#drillOne("worker-kill", worker, computes);
      await this.#drillOne("coordinator-kill");
    }
    await this.#calm();
  }

  async #drillOne(kind: FaultKind, worker?: string, when: (status: ClusterStatus) => boolean = () => true) {
    await this.#calm();
    await this.#options.observer.until(when);
    const fromMs = Date.now();
    const fault = { atSeconds: (fromMs - this.#begunMs) / 1000, kind, ...(worker !== undefined && { worker }) };
    this.#options.onFault(fault);
    await this.#strike(fault, fromMs);
  }

  /** Resolves when some steps went by in peace. */
  async #calm(): Promise<void> {
    let first: number | undefined;
    await this.#options.observer.until(({ step }) => {
      first ??= step;
      return step >= first + CALM_STEPS;
    });
  }

  async #strike(fault: Fault, fromMs: number): Promise<void> {
    const { cluster } = this.#options;
    switch (fault.kind) {
      case "worker-kill":
        await cluster.worker(fault.worker!).kill();
        break;
      case "worker-leave":
        void cluster.worker(fault.worker!).terminate();
        break;
      case "worker-join":
        this.#started(fault.worker!, cluster.startWorker(fault.worker!));
        break;
      case "coordinator-kill":
        await cluster.coordinator.kill();
        break;
      case "nats-kill":
        await cluster.nats.kill();
        break;
      case "power-cut":
        await this.#cutPower();
        break;
      case "disk-full":
        await this.#fillDisk();
        break;
      case "worker-freeze":
        return this.#freeze(fault, cluster.worker(fault.worker!), fromMs);
      case "coordinator-freeze":
        return this.#freeze(fault, cluster.coordinator, fromMs);
      case "nats-freeze":
        return this.#freeze(fault, cluster.nats, fromMs);
    }
    this.injected.push({ ...fault, fromMs, toMs: Date.now() });
  }

  #freeze(fault: Fault, process: ClusterProcess, fromMs: number): void {
    process.freeze();
    const seconds = fault.seconds!;
    const { signal } = this.#options;
    this.injected.push({ ...fault, fromMs, toMs: fromMs + 1000 * seconds });
    const thawed = delay(1000 * seconds, undefined, { signal }).then(() => process.thaw());
    thawed.catch(() => undefined);
    this.#freezes.push(thawed);
  }

  async #cutPower(): Promise<void> {
    const { cluster } = this.#options;
    for (const name of await cluster.cutPower()) this.#started(name, cluster.worker(name));
  }

  async #fillDisk(): Promise<void> {
    const { disk, runFolder, folder, signal, observer } = this.#options;
    // A coordinator that is just being started would find no room for its lock, and end.
    await observer.until(() => true);
    const log = join(folder, "logs", "coordinator-1.log");
    this.problems.push(...(await fillDisk({ disk: disk!, runFolder, log, signal })));
  }

  #started(worker: string, process: ClusterProcess): void {
    for (const start of this.#starts) if (start.worker === worker) this.#noteFirstTask(start);
    this.#options.observer.forget(worker);
    const start = { worker, startedMs: process.startedMs, process };
    this.#starts.push(start);
  }

  /** A process keeps the first task that its name was seen with, until another process takes the name. */
  #noteFirstTask(start: { worker: string; startedMs: number; firstTaskMs?: number | undefined }): void {
    const seenMs = this.#options.observer.firstTaskOf(start.worker);
    if (seenMs !== undefined && seenMs >= start.startedMs) start.firstTaskMs ??= seenMs;
  }
}
