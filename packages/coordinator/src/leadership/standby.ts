/**
 * Coordinators that stand by for each other: one leads, the others keep its newest checkpoint at hand and wait. Which
 * one leads is decided by compare-and-set on one record in NATS JetStream, never by the coordinators among themselves.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "@mzsr/mzsr";
import type { LeaderEntry, LeaderRecord, NatsOptions } from "@mzsr/shared";
import type {
  CoordinatorOptions,
  CoordinatorResult,
  PreviewOptions,
  RunningCoordinator,
  ValidationOptions,
} from "../options.js";
import { CheckpointStore, decodeCheckpoint } from "../run/checkpoints.js";
import { runPaths } from "../run/run-folder.js";
import { claimRunFolder } from "../run/run-marker.js";
import { coordinate, readDataset } from "../start-coordinator.js";
import type { Dataset } from "../tasks/dataset.js";
import { CheckpointReplica } from "./checkpoint-replica.js";
import { LeaderElection } from "./leader-election.js";
import { LEASE_MS, LeaderLease } from "./leader-lease.js";
import { LeaderStore, OvertakenError } from "./leader-store.js";
import { fetchMetrics, MetricsReplica } from "./metrics-replica.js";
import { patiently } from "./patience.js";
import { StandbyServer } from "./standby-server.js";

const POLL_MS = 250;

export interface StandbyOptions extends Omit<CoordinatorOptions, "nats" | "resume" | "previews" | "validation"> {
  readonly nats: NatsOptions;
  /** Name or address under which workers reach this machine; what it listens on, or its host name, by default. */
  readonly advertise?: string | undefined;
  /** Servers of a NATS cluster that keep a copy of records and checkpoints; 1 by default. */
  readonly replicas?: number | undefined;
  /** Made anew for every term. */
  readonly previews?: (() => PreviewOptions) | undefined;
  /** As `previews`. */
  readonly validation?: (() => Promise<ValidationOptions | undefined>) | undefined;
  /** Told when this coordinator begins to lead. */
  readonly onLeading?: ((coordinator: RunningCoordinator) => void) | undefined;
  /** Ends the start while it waits for NATS; it rejects then with what this was aborted with. */
  readonly stopping?: AbortSignal | undefined;
}

export interface StandbyCoordinator {
  /** Resolves when the run is over or this coordinator was stopped. Rejects with the leader's RunError. */
  readonly finished: Promise<CoordinatorResult>;
  /** The coordinator while this one leads. */
  readonly leading: RunningCoordinator | undefined;
  /** Finishes the step in flight if it leads, and steps down: another takes over at once. */
  stop(reason: string): Promise<CoordinatorResult>;
}

/**
 * Waits for the lead of a run, and leads it then. Every coordinator of the run is started so, with the same
 * configuration and images and a run folder of its own.
 * @throws InputError for unusable images, a port in use, and when NATS has no JetStream
 */
export async function startStandby(options: StandbyOptions): Promise<StandbyCoordinator> {
  const { listen, logger, runName } = options;
  const dataset = await readDataset(options);
  const room = new StandbyServer({
    runName,
    host: listen.httpHost ?? listen.host,
    port: listen.httpPort,
    guard: options.http,
    onError: (reason) => logger.warn(`HTTP: ${reason}`),
  });
  await room.open();
  try {
    logger.info(`standing by for the run ${runName}; waiting for NATS`);
    const onTrouble = (reason: string) => logger.warn(`standing by without NATS: ${reason}`);
    const store = await LeaderStore.open(options.nats, runName, options.replicas ?? 1, options.stopping, onTrouble);
    return new Standby(options, dataset, store, room);
  } catch (thrown) {
    await room.close();
    throw thrown;
  }
}

class Standby implements StandbyCoordinator {
  readonly finished: Promise<CoordinatorResult>;
  readonly #options: StandbyOptions;
  readonly #dataset: Dataset;
  readonly #store: LeaderStore;
  readonly #room: StandbyServer;
  readonly #checkpoints: CheckpointStore;
  readonly #stopping = new AbortController();
  #leading: RunningCoordinator | undefined;
  #stopReason = "";
  #copiedStep = -1;
  #copying: Promise<void> | undefined;

  /** @param room open */
  constructor(options: StandbyOptions, dataset: Dataset, store: LeaderStore, room: StandbyServer) {
    this.#options = options;
    this.#dataset = dataset;
    this.#store = store;
    this.#room = room;
    this.#checkpoints = new CheckpointStore(
      runPaths(options.runFolder).checkpoints,
      options.configuration.checkpoints.keep,
    );
    this.finished = this.#live().finally(async () => {
      await room.close();
      await store.close();
    });
    this.finished.catch(() => undefined);
  }

  get leading(): RunningCoordinator | undefined {
    return this.#leading;
  }

  async stop(reason: string): Promise<CoordinatorResult> {
    this.#stopReason = reason;
    this.#stopping.abort();
    await this.#leading?.stop(reason);
    return this.finished;
  }

  /** Term after term until the run is over. */
  async #live(): Promise<CoordinatorResult> {
    for (;;) {
      await this.#room.open();
      const lead = await this.#election();
      if (lead === "stopped") return { complete: false, step: Math.max(0, this.#copiedStep), modelPath: undefined };
      if (lead === "finished") return this.#finish();
      const result = await this.#lead(lead.record, lead.revision, lead.sentMs);
      if (result !== undefined) return result;
    }
  }

  /** Waits until the lead is this coordinator's. */
  async #election() {
    const election = new LeaderElection();
    let trouble = "";
    while (!this.#stopping.signal.aborted) {
      try {
        const entry = await this.#store.read();
        const move = election.next(entry, performance.now());
        this.#room.leader = entry?.record.httpAddress ?? "";
        this.#copyCheckpoint(entry);
        if (move.move === "finished" && !this.#goesFurther(entry)) return "finished" as const;
        if (move.move !== "wait") return await this.#claim(move.reason, entry);
        trouble = "";
      } catch (thrown) {
        if (!(thrown instanceof OvertakenError) && messageOf(thrown) !== trouble) {
          trouble = messageOf(thrown);
          this.#options.logger.warn(`standing by without NATS: ${trouble}`);
        }
      }
      await delay(POLL_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    return "stopped" as const;
  }

  /** The run was finished, but this coordinator's configuration asks for more steps. */
  #goesFurther(entry: LeaderEntry | undefined): boolean {
    const { pretraining, metaTraining } = this.#options.configuration;
    return (entry?.record.checkpoint?.step ?? 0) < pretraining.steps + metaTraining.steps;
  }

  /** @throws OvertakenError when another was faster */
  async #claim(reason: string, entry: LeaderEntry | undefined) {
    const sentMs = performance.now();
    const record: LeaderRecord = {
      holder: randomUUID(),
      state: "leading",
      grpcAddress: "",
      httpAddress: "",
      leaseMs: LEASE_MS,
      checkpoint: entry?.record.checkpoint ?? null,
    };
    const revision = await this.#store.write(record, entry?.revision ?? 0);
    this.#options.logger.info(`leading the run now: ${reason}`);
    return { record, revision, sentMs };
  }

  /** Leads for a term. Returns how the run ended, or undefined when only the term did. */
  async #lead(record: LeaderRecord, revision: number, sentMs: number): Promise<CoordinatorResult | undefined> {
    const { logger, onLeading } = this.#options;
    let lost: string | undefined;
    const lease = new LeaderLease(
      this.#store,
      { record, revision, sentMs },
      () => performance.now(),
      (reason) => {
        lost = reason;
        void this.#leading?.abandon(`this coordinator does not lead any more: ${reason}`);
      },
    );
    try {
      await this.#room.close();
      await this.#copying;
      const leads = () => lost === undefined;
      await this.#patiently(() => this.#fetchCheckpoint(record), leads);
      const replica = await this.#patiently(() => this.#replica(lease), leads);
      const coordinator = await this.#startLeading(lease, replica);
      if (lost !== undefined) await coordinator.abandon(lost);
      void lease.set(this.#addresses(coordinator));
      onLeading?.(coordinator);
      if (this.#stopping.signal.aborted) void coordinator.stop(this.#stopReason);
      const result = await coordinator.finished;
      await replica.checkpoints.settle();
      // A finished run that is stayed for still needs somebody who serves it and sends workers home.
      const stays = this.#options.stay === true;
      await lease.release(result.complete && !stays ? "finished" : "released");
      if (!stays || lost === undefined || this.#stopping.signal.aborted) return result;
      logger.warn(`standing by again: ${lost}`);
      return undefined;
    } catch (thrown) {
      await lease.release("released");
      if (lost === undefined) throw thrown;
      logger.warn(`standing by again: ${lost}`);
      return undefined;
    } finally {
      this.#leading = undefined;
    }
  }

  #patiently<T>(work: () => Promise<T>, goOn: () => boolean): Promise<T> {
    return patiently(work, goOn, (reason) => this.#options.logger.warn(`NATS is late, trying again: ${reason}`));
  }

  async #replica(lease: LeaderLease): Promise<{ checkpoints: CheckpointReplica; metrics: MetricsReplica }> {
    const { runFolder, logger } = this.#options;
    const lastStep = (await this.#checkpoints.list()).at(-1)?.step ?? 0;
    const metrics = await MetricsReplica.begin(this.#store, runPaths(runFolder).metrics, lastStep);
    const onProblem = (reason: string) => logger.warn(reason);
    return { metrics, checkpoints: new CheckpointReplica(this.#store, lease, metrics, onProblem) };
  }

  async #startLeading(
    lease: LeaderLease,
    replica: { readonly checkpoints: CheckpointReplica; readonly metrics: MetricsReplica },
  ): Promise<RunningCoordinator> {
    const mayAct = () => {
      if (lease.valid) return true;
      lease.lose("it was paused for too long, or NATS is away");
      return false;
    };
    this.#leading = await coordinate(await this.#coordinatorOptions(), this.#dataset, {
      mayAct,
      record: () => (lease.valid ? lease.record : undefined),
      onStep: (line) => replica.metrics.add(line),
      onCheckpoint: (step, bytes) => replica.checkpoints.put(step, bytes),
    });
    return this.#leading;
  }

  /** Another coordinator finished the run: this run folder gets the checkpoint and the model, too. */
  async #finish(): Promise<CoordinatorResult> {
    await this.#room.close();
    const stands = () => !this.#stopping.signal.aborted;
    const entry = await this.#patiently(() => this.#store.read(), stands);
    await this.#copying;
    if (entry !== undefined) await this.#patiently(() => this.#fetchCheckpoint(entry.record), stands);
    const coordinator = await coordinate(await this.#coordinatorOptions(), this.#dataset);
    return coordinator.finished;
  }

  async #coordinatorOptions(): Promise<CoordinatorOptions> {
    const { previews, validation, ...options } = this.#options;
    return { ...options, previews: previews?.(), validation: await validation?.(), resume: true };
  }

  /** Copies the newest checkpoint while waiting, so that it is there when it is needed. */
  #copyCheckpoint(entry: LeaderEntry | undefined): void {
    if (entry === undefined || this.#copying !== undefined) return;
    this.#copying = this.#fetchCheckpoint(entry.record)
      .catch((thrown: unknown) => this.#options.logger.warn(`a checkpoint could not be copied: ${messageOf(thrown)}`))
      .finally(() => {
        this.#copying = undefined;
      });
  }

  /** Puts the replicated checkpoint and the lines of its steps into the run folder, unless the folder has it or a newer one. */
  async #fetchCheckpoint({ checkpoint }: LeaderRecord): Promise<void> {
    if (checkpoint === null || checkpoint.step <= this.#copiedStep) return;
    const newest = (await this.#checkpoints.newest()).checkpoint?.state.step ?? -1;
    if (newest < checkpoint.step) {
      const bytes = await this.#store.getObject(checkpoint.object);
      decodeCheckpoint(bytes, checkpoint.object);
      await claimRunFolder(this.#options.runFolder);
      await fetchMetrics(this.#store, runPaths(this.#options.runFolder).metrics, checkpoint.step);
      await this.#checkpoints.write(checkpoint.step, bytes);
    }
    this.#copiedStep = checkpoint.step;
  }

  #addresses({ grpcAddress, httpAddress }: RunningCoordinator) {
    const { advertise, listen } = this.#options;
    return {
      grpcAddress: reachable(grpcAddress, listen.host, advertise),
      httpAddress: reachable(httpAddress, listen.httpHost ?? listen.host, advertise),
    };
  }
}

/** What others can connect to: every interface is none that has a name. */
function reachable(address: string, listensOn: string, advertise: string | undefined): string {
  const port = address.slice(address.lastIndexOf(":") + 1);
  if (advertise !== undefined) return `${advertise}:${port}`;
  const everywhere = listensOn === "0.0.0.0" || listensOn === "::";
  return everywhere ? `${hostname()}:${port}` : address;
}
