/** A coordinator: one run, its folder, its listeners for workers and people. */
import { randomUUID } from "node:crypto";
import { messageOf, metaLayout, RunError, readImage, writeModel } from "@mzsr/mzsr";
import { Closers, type ClusterStatus, connectNats, type NatsLink, type PreviewImage } from "@mzsr/shared";
import { CoordinatorCore } from "./core/coordinator-core.js";
import type { CoordinatorEffect } from "./core/events.js";
import { RunSchedule } from "./core/schedule.js";
import { EventStream } from "./http/event-stream.js";
import { builtPage } from "./http/page.js";
import { Routes } from "./http/routes.js";
import { RunArchive } from "./http/run-view.js";
import { COORDINATOR_FLAGS, type HttpServer, startHttpServer } from "./http/server.js";
import { CoordinatorMetrics } from "./metrics/metrics.js";
import { ClusterBus } from "./nats/cluster-bus.js";
import type { CoordinatorOptions, CoordinatorResult, RunningCoordinator } from "./options.js";
import { previewSubject } from "./previews/preview-subject.js";
import { PreviewWriter } from "./previews/preview-writer.js";
import { type CheckpointOutcome, CheckpointWriter } from "./run/checkpoint-writer.js";
import { finishedModel } from "./run/finished-model.js";
import { datasetDigest, firstState } from "./run/initial-state.js";
import { type MetricsLine, readMetrics } from "./run/metrics-log.js";
import { type OpenedRun, RunFolder, runPaths } from "./run/run-folder.js";
import { serverCredentials } from "./server/credentials.js";
import { type GrpcServer, startGrpcServer } from "./server/grpc-server.js";
import { ParametersMessages } from "./server/outgoing.js";
import { CoreLoop } from "./shell/core-loop.js";
import { EffectRunner, type RunEnd } from "./shell/effects.js";
import { LiveRun } from "./shell/live-run.js";
import { type Dataset, loadDataset } from "./tasks/dataset.js";
import { drawTask } from "./tasks/draw-task.js";
import { TensorBoardLog } from "./tensorboard/tensorboard-log.js";

const ACTIVITY_MS = 1_000;
/** How long workers may take to leave by themselves when the run is over. */
const LEAVE_MS = 1_500;
/** How long open pages may take to fetch what they want to keep of a complete run. */
const PAGES_MS = 3_000;
/** How long the preview of a complete run's last step may take: some seconds of processor time, on a busy machine. */
const LAST_PREVIEW_MS = 30_000;

/**
 * Starts a coordinator.
 * @throws InputError for a port in use, a run folder that is taken or does not fit, unusable images, TLS or NATS files
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  return coordinate(options, await readDataset(options));
}

/** Reads the training images. @throws InputError for one that cannot be read, or when there are no patches */
export async function readDataset({
  images,
  configuration,
  logger,
}: Pick<CoordinatorOptions, "images" | "configuration" | "logger">): Promise<Dataset> {
  const dataset = await loadDataset(images, configuration);
  for (const note of dataset.notes) logger.warn(note);
  return dataset;
}

/** A coordinator whose right to act may end. */
export interface Leadership {
  /** Asked before everything that it does. */
  readonly mayAct: () => boolean;
  /** A step is done. */
  readonly onStep: (line: MetricsLine) => void;
  /** A checkpoint stands on the disk. */
  readonly onCheckpoint: (step: number, bytes: Uint8Array) => void;
}

/** Starts a coordinator on images that were read already. */
export async function coordinate(
  options: CoordinatorOptions,
  dataset: Dataset,
  leadership?: Leadership,
): Promise<RunningCoordinator> {
  const coordinator = new Coordinator(options, dataset, leadership);
  await coordinator.start();
  return coordinator;
}

/** Milliseconds since 1970 on a clock that nobody sets back. */
function monotonicNowMs(): number {
  return performance.timeOrigin + performance.now();
}

class Coordinator implements RunningCoordinator {
  readonly finished: Promise<CoordinatorResult>;
  readonly #options: CoordinatorOptions;
  readonly #dataset: Dataset;
  readonly #leadership: Leadership | undefined;
  readonly #incarnation = randomUUID();
  readonly #closers = new Closers();
  readonly #stream = new EventStream(() => this.status());
  readonly #metrics: CoordinatorMetrics;
  #settle!: { resolve(result: CoordinatorResult): void; reject(error: Error): void };
  #opened!: OpenedRun;
  #core!: CoordinatorCore;
  #loop!: CoreLoop;
  #effects!: EffectRunner;
  #checkpoints!: CheckpointWriter;
  #live!: LiveRun;
  #previews: PreviewWriter | undefined;
  #tensorboard: TensorBoardLog | undefined;
  #grpc!: GrpcServer;
  #http!: HttpServer;
  #ending = false;
  #modelPath: string | undefined;
  /** Aborted by a stop: the last preview is not waited for. */
  readonly #stopped = new AbortController();

  constructor(options: CoordinatorOptions, dataset: Dataset, leadership: Leadership | undefined) {
    this.#options = options;
    this.#leadership = leadership;
    this.#dataset = dataset;
    this.#metrics = new CoordinatorMetrics(options.runName, () => this.status(), monotonicNowMs);
    this.finished = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.finished.catch(() => undefined);
  }

  get grpcAddress(): string {
    return addressOf(this.#options.listen.host, this.#grpc.port);
  }

  get httpAddress(): string {
    return addressOf(this.#httpHost, this.#http.port);
  }

  get modelPath(): string | undefined {
    return this.#modelPath;
  }

  async start(): Promise<void> {
    try {
      await this.#openRun();
      this.#preparePreviews();
      await this.#openListeners();
      await this.#beginFolder();
    } catch (thrown) {
      this.#loop?.stop();
      await this.#closers.close();
      throw thrown;
    }
    this.#begin();
  }

  async stop(reason: string): Promise<CoordinatorResult> {
    this.#stopped.abort();
    this.#loop.deliver({ type: "stop", reason });
    return this.finished;
  }

  async abandon(reason: string): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#loop.stop();
    this.#options.logger.error(reason);
    await this.#checkpoints.abandon();
    await this.#closers.close().catch((thrown: unknown) => this.#options.logger.warn(messageOf(thrown)));
    this.#settle.reject(new RunError(reason));
  }

  get datasetNotes(): readonly string[] {
    return this.#dataset.notes;
  }

  status(): ClusterStatus {
    return this.#live.status();
  }

  #previewsWritten(step: number, images: readonly PreviewImage[]): void {
    for (const { name, updates, entries } of images) {
      const psnr = entries.at(-1)?.psnr;
      if (psnr === undefined) continue;
      this.#metrics.showPreview(name, 0, psnr.before);
      this.#metrics.showPreview(name, updates, psnr.adapted);
    }
    this.#tensorboard?.preview(step, images);
    this.#stream.preview(step);
  }

  get #httpHost(): string {
    return this.#options.listen.httpHost ?? this.#options.listen.host;
  }

  get #layout() {
    const { model, metaTraining } = this.#options.configuration;
    return metaLayout(model, metaTraining.innerSteps, metaTraining.learnedRates);
  }

  /** The run folder and the core that goes on from it. */
  async #openRun(): Promise<void> {
    const { configuration, runFolder, runName, resume, replace, logger } = this.#options;
    this.#opened = await RunFolder.open({
      path: runFolder,
      run: runName,
      configuration,
      dataset: datasetDigest(this.#dataset.images),
      resume,
      replace,
      firstState: () => firstState(configuration),
      onDisk: (problem) => this.#diskChanged(problem),
      onLockLost: (reason) => void this.abandon(reason),
    });
    const { folder, state, steps, events, notes } = this.#opened;
    this.#closers.add(() => folder.close());
    for (const note of notes) logger.info(note);
    this.#core = new CoordinatorCore({
      run: runName,
      configuration,
      state,
      drawTask: (step, index) => drawTask(configuration, this.#dataset.positions, step, index),
      layout: this.#layout,
      incarnation: this.#incarnation,
    });
    this.#live = new LiveRun({
      run: runName,
      folder: runFolder,
      status: () => this.#core.status(monotonicNowMs()),
      nowMs: monotonicNowMs,
      steps,
      events,
    });
    this.#checkpoints = new CheckpointWriter({
      encode: (wanted) => {
        this.#previews?.offer(wanted.step, wanted.theta);
        return folder.encode(wanted);
      },
      write: (step, bytes) => folder.writeCheckpoint(step, bytes),
      onWritten: (outcome) => this.#checkpointWritten(outcome),
      nowMs: monotonicNowMs,
    });
    const carryOut = (effect: CoordinatorEffect) => this.#effects.carryOut(effect);
    this.#loop = new CoreLoop(this.#core, carryOut, monotonicNowMs, this.#leadership?.mayAct);
    this.#loop.hold();
  }

  /** HTTP for people, gRPC for workers, NATS if there is any. */
  async #openListeners(): Promise<void> {
    const { configuration, listen, token, tls, nats, logger } = this.#options;
    const schedule = new RunSchedule(configuration);
    this.#http = await this.#startHttp();
    this.#closers.add(() => this.#http.stop());
    this.#closers.add(() => this.#stream.close());
    // A worker may come in at once; what it brings is handled when the run has begun.
    this.#grpc = await startGrpcServer({
      host: listen.host,
      port: listen.grpcPort,
      credentials: await serverCredentials(tls),
      images: this.#dataset.images,
      token,
      deliver: (event) => this.#loop.deliver(event),
      onRefusal: (reason, peer) => {
        this.#metrics.peerRefused();
        this.#effects.record({ kind: "refusal", reason: `${peer}: ${reason}` });
      },
    });
    this.#closers.add(() => this.#grpc.stop("the coordinator ends"));
    const link = nats === undefined ? undefined : connectNats(nats, "mzsr-coordinator", this.#natsChanged);
    if (link !== undefined) this.#closers.add(() => link.close());
    this.#effects = new EffectRunner({
      run: this.#options.runName,
      incarnation: this.#incarnation,
      configuration,
      images: this.#dataset.images.map(({ sha256, name, bytes }) => ({ sha256, name, bytes })),
      layout: this.#layout,
      core: this.#core,
      server: this.#grpc,
      parameters: new ParametersMessages(
        (step) => ({ stage: schedule.stageOf(step), step, theta: this.#core.parametersBefore(step) }),
        configuration.cluster.pipeline + 1,
      ),
      folder: this.#opened.folder,
      checkpoints: this.#checkpoints,
      metrics: this.#metrics,
      live: this.#live,
      stream: this.#stream,
      bus: link === undefined ? undefined : this.#joinBus(link),
      logger,
      nowMs: monotonicNowMs,
      onProgress: this.#options.onProgress ?? (() => undefined),
      onStep: (line) => {
        this.#leadership?.onStep(line);
        this.#tensorboard?.step(line);
      },
      onEnded: (end) => void this.#end(end),
    });
  }

  #startHttp(): Promise<HttpServer> {
    const routes = new Routes({
      live: { view: this.#live, stream: this.#stream, metricsText: () => this.#metrics.text() },
      archive: new RunArchive(this.#options.runFolder),
      page: builtPage(),
    });
    const onError = (reason: string) => this.#options.logger.warn(`HTTP: ${reason}`);
    const { httpPort } = this.#options.listen;
    return startHttpServer({ host: this.#httpHost, port: httpPort, flags: COORDINATOR_FLAGS, routes, onError });
  }

  #preparePreviews(): void {
    const { previews, configuration, runName, runFolder, logger } = this.#options;
    if (previews === undefined) return;
    const subjects = async () =>
      Promise.all(
        previews.photos.map(async ({ name, path }, order) =>
          previewSubject(name, await readImage(path), order, configuration),
        ),
      );
    const writer = new PreviewWriter({
      run: runName,
      folder: runPaths(runFolder).previews,
      configuration,
      subjects,
      computer: previews.computer,
      nowMs: monotonicNowMs,
      onWritten: (step, images) => this.#previewsWritten(step, images),
      onProblem: (reason) => logger.warn(`no preview: ${reason}`),
    });
    this.#closers.add(() => writer.close());
    this.#previews = writer;
  }

  #openTensorBoard(): void {
    const { tensorboard, runFolder, logger } = this.#options;
    if (tensorboard !== true) return;
    const { step } = this.#opened.state;
    const paths = runPaths(runFolder);
    const log = new TensorBoardLog({
      folder: paths.tensorboard,
      previews: paths.previews,
      nextStep: step + 1,
      earlier: async () => (await readMetrics(paths.metrics, step)).lines,
      nowMs: monotonicNowMs,
      onProblem: (reason) => logger.error(`nothing more is written for TensorBoard: ${reason}; training goes on`),
      onSkipped: (reason) => logger.warn(`a picture is left out for TensorBoard, and others may be: ${reason}`),
    });
    this.#closers.add(() => log.close());
    this.#tensorboard = log;
  }

  #joinBus(link: NatsLink): ClusterBus {
    const bus = new ClusterBus({
      run: this.#options.runName,
      link,
      status: () => this.status(),
      onHeartbeat: ({ worker, incarnation, busySlots }) =>
        this.#loop.deliver({ type: "heartbeat", worker, incarnation, via: "nats", busySlots }),
      onMalformed: (reason) => this.#options.logger.debug(`NATS: ${reason}`),
    });
    this.#closers.add(() => bus.close());
    return bus;
  }

  /** Comes after everything that may fail: until then, the folder is as it was found. */
  async #beginFolder(): Promise<void> {
    const left = await this.#opened.folder.begin();
    if (left !== undefined) this.#options.logger.warn(`of the run before, something could not be deleted: ${left}`);
  }

  #begin(): void {
    const { configuration } = this.#options;
    const { steps, state, notes } = this.#opened;
    this.#metrics.plan({
      pretraining: configuration.pretraining.steps,
      metaTraining: configuration.metaTraining.steps,
    });
    const latest = steps.at(-1);
    if (latest !== undefined) this.#metrics.showStep(latest);
    for (const reason of notes) this.#effects.record({ kind: "resume", reason, step: state.step });
    this.#openTensorBoard();
    const timer = setInterval(() => this.#live.sampleActivity(), ACTIVITY_MS);
    this.#closers.add(() => clearInterval(timer));
    this.#loop.release();
    this.#loop.deliver({ type: "tick" });
  }

  /** The core is done: everything becomes durable, then every listener is closed. */
  async #end({ complete, failure }: RunEnd): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const { step } = this.status();
    try {
      await this.#checkpoints.settle();
      if (complete) this.#modelPath = await this.#writeModel(step);
      await this.#grpc.drained(LEAVE_MS);
      if (complete) {
        await this.#lastPreview(step);
        await this.#stream.end(this.#options.runFolder, PAGES_MS);
      }
      this.#loop.stop();
      await this.#closers.close();
      if (failure !== undefined) throw new RunError(failure);
      this.#settle.resolve({ complete, step, modelPath: this.#modelPath });
    } catch (thrown) {
      this.#loop.stop();
      await this.#closers.close().catch(() => undefined);
      const reason = messageOf(thrown);
      if (this.#modelPath === undefined) {
        this.#settle.reject(thrown instanceof RunError ? thrown : new RunError(reason));
      } else {
        this.#options.logger.warn(`after the run was complete: ${reason}`);
        this.#settle.resolve({ complete, step, modelPath: this.#modelPath });
      }
    }
  }

  /** The run is complete without it, so it is waited for only so long. */
  async #lastPreview(step: number): Promise<void> {
    if (this.#previews === undefined) return;
    const { lastPreviewMs = LAST_PREVIEW_MS } = this.#options;
    const deadline = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(lastPreviewMs)]);
    const made = await this.#previews.finish(step, this.#core.snapshot().theta, deadline);
    if (made) return;
    const why = deadline.aborted && !this.#stopped.signal.aborted ? ` within ${lastPreviewMs / 1000} s` : "";
    this.#options.logger.warn(`no preview of the last step${why}; --resume makes it`);
  }

  async #writeModel(step: number): Promise<string> {
    const { configuration, runFolder, runName } = this.#options;
    const path = runPaths(runFolder).model;
    try {
      await writeModel(path, finishedModel(configuration, this.#core.snapshot().theta, runName, step));
    } catch (thrown) {
      throw new RunError(
        `the model could not be written: ${messageOf(thrown)}; --resume writes it from the checkpoint`,
      );
    }
    return path;
  }

  #checkpointWritten(outcome: CheckpointOutcome): void {
    const { step, reason, seconds, path, problem } = outcome;
    if (path === undefined) {
      this.#metrics.checkpointFailed();
      const kept = "older checkpoints stay usable, and the next one is tried";
      this.#effects.record({ kind: "checkpoint", step, reason: `could not be written (${problem}); ${kept}` });
    } else {
      this.#metrics.checkpointWritten(seconds, monotonicNowMs());
      this.#leadership?.onCheckpoint(step, outcome.bytes);
      this.#effects.record({ kind: "checkpoint", step, reason });
    }
  }

  #diskChanged(problem: string | undefined): void {
    const { logger } = this.#options;
    if (problem === undefined) logger.info("the run folder can be written to again");
    else logger.error(`the run folder cannot be written to: ${problem}; lines wait in memory until it can`);
  }

  readonly #natsChanged = (connected: boolean, reason: string): void => {
    this.#metrics.natsChanged(connected);
    if (connected) this.#options.logger.info(`NATS: ${reason}`);
    else this.#options.logger.warn(`NATS is away (${reason}); training goes on, heartbeats come over the streams`);
  };
}

function addressOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
