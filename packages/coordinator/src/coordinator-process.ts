/** A running coordinator: its ends, and what it says of itself. */
import { once } from "node:events";
import { messageOf, RunError, writeModel } from "@mzsr/mzsr";
import type { Closers, ClusterStatus } from "@mzsr/shared";
import type { CoordinatorCore } from "./core/coordinator-core.js";
import { averagedParameters } from "./core/training-state.js";
import type { EventStream } from "./http/event-stream.js";
import type { CoordinatorOptions, CoordinatorResult, RunningCoordinator } from "./options.js";
import type { PreviewWriter } from "./previews/preview-writer.js";
import type { CheckpointWriter } from "./run/checkpoint-writer.js";
import { finishedModel } from "./run/finished-model.js";
import { runPaths } from "./run/run-folder.js";
import type { GrpcServer } from "./server/grpc-server.js";
import type { CoreLoop } from "./shell/core-loop.js";
import type { EffectRunner, RunEnd } from "./shell/effects.js";
import type { LiveRun } from "./shell/live-run.js";
import type { ValidationWriter } from "./validation/validation-writer.js";

/** How long workers may take to leave by themselves when the run is over. */
const LEAVE_MS = 1_500;
/** How long open pages may take to fetch what they want to keep of a complete run. */
const PAGES_MS = 3_000;
/** How long the preview of a complete run's last step may take: some seconds of processor time, on a busy machine. */
const LAST_PREVIEW_MS = 30_000;

/** What a coordinator consists of, all of it started. */
export interface CoordinatorParts {
  readonly options: CoordinatorOptions;
  /** host:port for workers. */
  readonly grpcAddress: string;
  /** host:port for people. */
  readonly httpAddress: string;
  readonly datasetNotes: readonly string[];
  readonly core: CoordinatorCore;
  readonly loop: CoreLoop;
  readonly effects: EffectRunner;
  readonly live: LiveRun;
  readonly stream: EventStream;
  readonly grpc: GrpcServer;
  readonly checkpoints: CheckpointWriter;
  readonly previews: PreviewWriter | undefined;
  readonly validation: ValidationWriter | undefined;
  /** Everything that must be closed in the end. */
  readonly closers: Closers;
  /** Resolves, with the reason, when another coordinator took the run folder. */
  readonly lockLost: Promise<string>;
}

export class CoordinatorProcess implements RunningCoordinator {
  readonly finished: Promise<CoordinatorResult>;
  readonly #parts: CoordinatorParts;
  readonly #whenOver: (end: CoordinatorResult | Error) => void;
  /** Aborted by a stop: neither the last preview nor what is to be validated is waited for. */
  readonly #stopped = new AbortController();
  #ending = false;
  #staying = false;
  #modelPath: string | undefined;

  /** Begins to work: what workers have sent meanwhile is handled now. */
  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    let whenOver: (end: CoordinatorResult | Error) => void = () => undefined;
    this.finished = new Promise((resolve, reject) => {
      whenOver = (end) => (end instanceof Error ? reject(end) : resolve(end));
    });
    this.#whenOver = whenOver;
    this.finished.catch(() => undefined);
    void parts.lockLost.then((reason) => this.abandon(reason));
    parts.loop.start((effect) => {
      if (effect.type === "ended") void this.#end(effect);
      else parts.effects.carryOut(effect);
    });
  }

  get grpcAddress(): string {
    return this.#parts.grpcAddress;
  }

  get httpAddress(): string {
    return this.#parts.httpAddress;
  }

  get datasetNotes(): readonly string[] {
    return this.#parts.datasetNotes;
  }

  get modelPath(): string | undefined {
    return this.#modelPath;
  }

  status(): ClusterStatus {
    return this.#parts.live.status();
  }

  stop(reason: string): Promise<CoordinatorResult> {
    this.#stopped.abort();
    this.#parts.loop.deliver({ type: "stop", reason });
    return this.finished;
  }

  async abandon(reason: string): Promise<void> {
    const { loop, checkpoints, closers, options } = this.#parts;
    if (this.#staying) this.#stopped.abort();
    if (this.#ending) return;
    this.#ending = true;
    loop.stop();
    options.logger.error(reason);
    await checkpoints.abandon();
    await closers.close().catch((thrown: unknown) => options.logger.warn(messageOf(thrown)));
    this.#whenOver(new RunError(reason));
  }

  /** The core is done: everything becomes durable, then every listener is closed. */
  async #end({ complete, failure }: RunEnd): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const { loop, closers } = this.#parts;
    const { step } = this.status();
    try {
      await this.#finishWork(complete, step);
      loop.stop();
      await closers.close();
      if (failure !== undefined) throw new RunError(failure);
      this.#whenOver({ complete, step, modelPath: this.#modelPath });
    } catch (thrown) {
      loop.stop();
      await closers.close().catch(() => undefined);
      this.#endedBy(thrown, step);
    }
  }

  async #finishWork(complete: boolean, step: number): Promise<void> {
    const { checkpoints, grpc, stream, options } = this.#parts;
    await checkpoints.settle();
    if (complete) this.#modelPath = await this.#writeModel(step);
    await grpc.drained(LEAVE_MS);
    if (!complete) return;
    await this.#lastPreview(step);
    await this.#parts.validation?.finish(this.#stopped.signal);
    if (options.stay === true) await this.#stay(step);
    await stream.end(options.runFolder, PAGES_MS);
  }

  /**
   * Until somebody stops it, or takes the run folder. Page, metrics and status are served on; a worker that comes is told that the
   * run is finished. What computes is let go.
   */
  async #stay(step: number): Promise<void> {
    const { previews, validation, options } = this.#parts;
    await Promise.all([previews?.close(), validation?.close()]);
    this.#staying = true;
    options.onStaying?.({ complete: true, step, modelPath: this.#modelPath });
    if (!this.#stopped.signal.aborted) await once(this.#stopped.signal, "abort");
  }

  /** Once the model stands on the disk, what fails makes the run no failed one. */
  #endedBy(thrown: unknown, step: number): void {
    const reason = messageOf(thrown);
    if (this.#modelPath === undefined) {
      this.#whenOver(thrown instanceof RunError ? thrown : new RunError(reason));
      return;
    }
    this.#parts.options.logger.warn(`after the run was complete: ${reason}`);
    this.#whenOver({ complete: true, step, modelPath: this.#modelPath });
  }

  /** The run is complete without it, so it is waited for only so long. */
  async #lastPreview(step: number): Promise<void> {
    const { previews, core, options } = this.#parts;
    if (previews === undefined) return;
    const { lastPreviewMs = LAST_PREVIEW_MS, logger } = options;
    const deadline = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(lastPreviewMs)]);
    const state = core.snapshot();
    const made = await previews.finish(step, averagedParameters(state) ?? state.theta, deadline);
    if (made) return;
    const why = deadline.aborted && !this.#stopped.signal.aborted ? ` within ${lastPreviewMs / 1000} s` : "";
    logger.warn(`no preview of the last step${why}; --resume makes it`);
  }

  async #writeModel(step: number): Promise<string> {
    const { core, options } = this.#parts;
    const { configuration, runFolder, runName } = options;
    const path = runPaths(runFolder).model;
    try {
      const state = core.snapshot();
      const average = averagedParameters(state);
      await writeModel(path, finishedModel(configuration, state.theta, runName, step, average));
    } catch (thrown) {
      throw new RunError(
        `the model could not be written: ${messageOf(thrown)}; --resume writes it from the checkpoint`,
      );
    }
    return path;
  }
}
