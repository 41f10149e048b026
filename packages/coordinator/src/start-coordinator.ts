/** Starts a coordinator: one run, its folder, its listeners for workers and people. */
import { randomUUID } from "node:crypto";
import { metaLayout, readImage } from "@mzsr/mzsr";
import {
  Closers,
  COORDINATOR_FLAGS,
  connectNats,
  type LeaderRecord,
  type PreviewImage,
  type RunEvent,
  startHttpServer,
} from "@mzsr/shared";
import { CoordinatorProcess } from "./coordinator-process.js";
import { CoordinatorCore } from "./core/coordinator-core.js";
import { RunSchedule } from "./core/schedule.js";
import { averagedParameters } from "./core/training-state.js";
import { EventStream } from "./http/event-stream.js";
import { builtPage } from "./http/page.js";
import { Routes } from "./http/routes.js";
import { RunArchive } from "./http/run-folders.js";
import { scrapeAddress } from "./http/scrape-address.js";
import { CoordinatorMetrics } from "./metrics/metrics.js";
import { ClusterBus } from "./nats/cluster-bus.js";
import { HeartbeatGate } from "./nats/heartbeat-gate.js";
import type { CoordinatorOptions, RunningCoordinator } from "./options.js";
import { previewSubject } from "./previews/preview-subject.js";
import { PreviewWriter } from "./previews/preview-writer.js";
import { type CheckpointOutcome, CheckpointWriter } from "./run/checkpoint-writer.js";
import { datasetDigest, firstState } from "./run/initial-state.js";
import {
  type MetricsLine,
  readMetrics,
  readValidations,
  type ValidationLine,
  validationLine,
} from "./run/metrics-log.js";
import { type OpenedRun, RunFolder, runPaths } from "./run/run-folder.js";
import { serverCredentials, watchCredentials } from "./server/credentials.js";
import { startGrpcServer } from "./server/grpc-server.js";
import { largestResult } from "./server/largest-result.js";
import { ParametersMessages } from "./server/outgoing.js";
import { RevokedTokens } from "./server/token-list.js";
import { Tokens } from "./server/tokens.js";
import { CoreLoop } from "./shell/core-loop.js";
import { EffectRunner } from "./shell/effects.js";
import { EventRecorder } from "./shell/event-recorder.js";
import { LiveRun } from "./shell/live-run.js";
import { type Dataset, loadDataset } from "./tasks/dataset.js";
import { drawTask } from "./tasks/draw-task.js";
import { TensorBoardLog } from "./tensorboard/tensorboard-log.js";
import { ValidationWriter } from "./validation/validation-writer.js";

const ACTIVITY_MS = 1_000;
const NONE: ReadonlySet<string> = new Set();

/** A coordinator whose right to act may end. */
export interface Leadership {
  /** Asked before everything that it does. */
  readonly mayAct: () => boolean;
  /** Its record, while it leads. */
  readonly record: () => LeaderRecord | undefined;
  /** A step is done. */
  readonly onStep: (line: MetricsLine) => void;
  /** A checkpoint stands on the disk. */
  readonly onCheckpoint: (step: number, bytes: Uint8Array) => void;
}

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

/** Starts a coordinator on images that were read already. */
export async function coordinate(
  options: CoordinatorOptions,
  dataset: Dataset,
  leadership?: Leadership,
): Promise<RunningCoordinator> {
  const closers = new Closers();
  try {
    return await assemble(options, dataset, leadership, closers);
  } catch (thrown) {
    await closers.close();
    throw thrown;
  }
}

/**
 * First what may fail (folder, listeners), while the run folder stays as it was found; then the folder is begun, and what
 * writes into it is started. Workers that come in early are heard when all is there.
 */
async function assemble(
  options: CoordinatorOptions,
  dataset: Dataset,
  leadership: Leadership | undefined,
  closers: Closers,
): Promise<RunningCoordinator> {
  const { configuration, runFolder, runName, logger } = options;
  const incarnation = randomUUID();
  const layout = layoutOf(options);
  const schedule = new RunSchedule(configuration);
  const { opened, lockLost } = await openRun(options, dataset);
  const { folder, state, steps, validations, events, notes } = opened;
  closers.add(() => folder.close());
  const core = new CoordinatorCore({
    run: runName,
    configuration,
    state,
    drawTask: (step, index) => drawTask(schedule, dataset.positions, step, index),
    layout,
    incarnation,
  });
  const status = () => core.status(monotonicNowMs());
  const live = new LiveRun({
    run: runName,
    folder: runFolder,
    status,
    nowMs: monotonicNowMs,
    steps,
    validations,
    events,
  });
  const metrics = new CoordinatorMetrics(runName, () => live.status(), monotonicNowMs);
  const stream = new EventStream(() => live.status());
  const loop = new CoreLoop(core, monotonicNowMs, leadership?.mayAct);

  const http = await startHttp(options, live, stream, metrics, (event) => recorder.record(event));
  closers.add(() => http.stop());
  closers.add(() => stream.close());
  const bus = joinBus(options, { live, metrics, loop, core, leader: leadership?.record }, closers);
  const recorder = new EventRecorder({ folder, live, stream, bus, metrics, logger, nowMs: monotonicNowMs });
  closers.add(() => recorder.close());
  const revoked = await readRevoked(options, () => grpc.recheck(tokens));
  if (revoked !== undefined) closers.add(() => revoked.stop());
  const tokens = new Tokens({ secret: options.token, run: runName, revoked: () => revoked?.ids ?? NONE });
  const credentials = await serverCredentials(options.tls);
  const grpc = await startGrpcServer({
    host: options.listen.host,
    port: options.listen.grpcPort,
    credentials,
    images: dataset.images,
    tokens,
    largestMessage: largestResult(configuration, layout.size),
    maxConnections: options.listen.maxConnections,
    scrapeAddress: (told, peer) => scrapeAddress(told, peer, options.http?.metricsHosts ?? []),
    keptSteps: configuration.cluster.pipeline + 1,
    deliver: (event) => loop.deliver(event),
    onRefusal: (reason, peer, kind) => {
      metrics.peerRefused(kind);
      recorder.record({ kind: "refusal", reason: `${peer}: ${reason}` });
    },
  });
  closers.add(() => grpc.stop("the coordinator ends"));
  if (options.tls !== undefined) {
    const stop = watchCredentials(credentials, options.tls, {
      onReload: () => logger.info("the TLS files have changed: new connections get the new certificates"),
      onProblem: (reason) =>
        logger.error(`the TLS files have changed to what cannot be used (${reason}); the old ones stay`),
    });
    closers.add(stop);
  }

  await beginFolder(folder, options);
  const tensorboard = openTensorBoard(options, state.step);
  if (tensorboard !== undefined) closers.add(() => tensorboard.close());
  const previews = preparePreviews(options, (step, images) => {
    showPreviews(metrics, images);
    tensorboard?.preview(step, images);
    stream.preview(step);
  });
  if (previews !== undefined) closers.add(() => previews.close());
  const validation = await prepareValidation(
    options,
    opened,
    (line) => {
      live.validated(line);
      stream.validation(line);
      metrics.showValidation(line);
      tensorboard?.validation(line);
    },
    metrics,
  );
  if (validation !== undefined) closers.add(() => validation.close());
  const checkpoints = new CheckpointWriter({
    encode: (wanted) => {
      previews?.offer(wanted.step, averagedParameters(wanted) ?? wanted.theta);
      return folder.encode(wanted);
    },
    write: async (step, bytes) => {
      // What a checkpoint has behind it is not computed again, so it must be there to be measured.
      await validation?.written();
      return folder.writeCheckpoint(step, bytes);
    },
    onWritten: (outcome) => checkpointWritten(outcome, metrics, recorder, leadership),
    nowMs: monotonicNowMs,
  });
  const effects = new EffectRunner({
    run: runName,
    incarnation,
    configuration,
    images: dataset.images.map(({ sha256, name, bytes }) => ({ sha256, name, bytes })),
    layout,
    core,
    server: grpc,
    parameters: new ParametersMessages(
      (step) => ({ stage: schedule.stageOf(step), step, theta: core.parametersBefore(step) }),
      configuration.cluster.pipeline + 1,
    ),
    folder,
    checkpoints,
    metrics,
    live,
    stream,
    recorder,
    logger,
    onStep: (line) => {
      leadership?.onStep(line);
      tensorboard?.step(line);
    },
    onValidation: (step, theta, average) => validation?.offer(step, theta, average),
  });

  metrics.plan({ pretraining: configuration.pretraining.steps, metaTraining: configuration.metaTraining.steps });
  const latest = steps.at(-1);
  if (latest !== undefined) metrics.showStep(latest);
  const measured = validations.at(-1);
  if (measured !== undefined) metrics.showValidation(measured);
  for (const reason of notes) recorder.record({ kind: "resume", reason, step: state.step });
  const timer = setInterval(() => live.sampleActivity(), ACTIVITY_MS);
  closers.add(() => clearInterval(timer));
  return new CoordinatorProcess({
    options,
    grpcAddress: addressOf(options.listen.host, grpc.port),
    httpAddress: addressOf(httpHost(options), http.port),
    datasetNotes: dataset.notes,
    core,
    loop,
    effects,
    live,
    stream,
    grpc,
    checkpoints,
    previews,
    validation,
    closers,
    lockLost,
  });
}

/** Locks and reads the run folder. */
async function openRun(
  { runFolder, runName, configuration, resume, replace, logger }: CoordinatorOptions,
  dataset: Dataset,
): Promise<{ opened: OpenedRun; lockLost: Promise<string> }> {
  let onLockLost: (reason: string) => void = () => undefined;
  const lockLost = new Promise<string>((resolve) => {
    onLockLost = resolve;
  });
  const opened = await RunFolder.open({
    path: runFolder,
    run: runName,
    configuration,
    dataset: datasetDigest(dataset.images),
    resume,
    replace,
    firstState: () => firstState(configuration),
    onDisk: (problem) => {
      if (problem === undefined) logger.info("the run folder can be written to again");
      else logger.error(`the run folder cannot be written to: ${problem}; lines wait in memory until it can`);
    },
    onLockLost,
  });
  for (const note of opened.notes) logger.info(note);
  return { opened, lockLost };
}

/** Comes after everything that may fail: until then, the folder is as it was found. */
async function beginFolder(folder: RunFolder, { logger }: CoordinatorOptions): Promise<void> {
  const left = await folder.begin();
  if (left !== undefined) logger.warn(`of the run before, something could not be deleted: ${left}`);
}

function startHttp(
  options: CoordinatorOptions,
  live: LiveRun,
  stream: EventStream,
  metrics: CoordinatorMetrics,
  record: (event: RunEvent) => void,
) {
  const routes = new Routes({
    live: { view: live, stream, metricsText: () => metrics.text() },
    archive: new RunArchive(options.runFolder),
    page: builtPage(),
  });
  const onError = (reason: string) => options.logger.warn(`HTTP: ${reason}`);
  const { httpPort } = options.listen;
  return startHttpServer({
    host: httpHost(options),
    port: httpPort,
    flags: COORDINATOR_FLAGS,
    routes,
    guard: options.http,
    onError,
    onRefused: (reason, peer) => {
      metrics.requestRefused();
      record({ kind: "refusal", reason: `${peer}: HTTP: ${reason}` });
    },
  });
}

interface BusParts {
  readonly live: LiveRun;
  readonly metrics: CoordinatorMetrics;
  readonly loop: CoreLoop;
  readonly core: CoordinatorCore;
  readonly leader: (() => LeaderRecord | undefined) | undefined;
}

/** The join tokens that are good no more, where a list of them is kept. */
async function readRevoked(
  { tokenList, logger }: CoordinatorOptions,
  onRevoked: () => void,
): Promise<RevokedTokens | undefined> {
  if (tokenList === undefined) return undefined;
  const revoked = new RevokedTokens(tokenList, {
    onRevoked,
    onProblem: (reason) => logger.error(`the list of join tokens cannot be read (${reason}); what was known stays`),
  });
  await revoked.start();
  return revoked;
}

/** NATS, where it is asked for. */
function joinBus(
  { nats, runName, logger }: CoordinatorOptions,
  { live, metrics, loop, core, leader }: BusParts,
  closers: Closers,
): ClusterBus | undefined {
  if (nats === undefined) return undefined;
  const link = connectNats({ ...nats, role: "coordinator" }, "mzsr-coordinator", (connected, reason) => {
    metrics.natsChanged(connected);
    if (connected) logger.info(`NATS: ${reason}`);
    else logger.warn(`NATS is away (${reason}); training goes on, heartbeats come over the streams`);
  });
  closers.add(() => link.close());
  const bus = new ClusterBus({
    run: runName,
    link,
    status: () => live.status(),
    gate: new HeartbeatGate(
      runName,
      (worker) => core.incarnationOf(worker) !== undefined,
      () => core.connectedWorkers,
      monotonicNowMs,
    ),
    leader,
    onFlood: (reason) => logger.warn(`NATS: ${reason}`),
    onHeartbeat: (heartbeat) => {
      const { worker, incarnation, busySlots } = heartbeat;
      // Only the worker that has the session knows it: over NATS anybody may say any name.
      if (incarnation !== core.incarnationOf(worker)) return logger.debug(`NATS: not the heartbeat of ${worker}`);
      live.devices.hear(heartbeat);
      loop.deliver({ type: "heartbeat", worker, incarnation, via: "nats", busySlots });
    },
    onMalformed: (reason) => logger.debug(`NATS: ${reason}`),
  });
  closers.add(() => bus.close());
  return bus;
}

function openTensorBoard(options: CoordinatorOptions, step: number): TensorBoardLog | undefined {
  const { tensorboard, runFolder, logger } = options;
  if (tensorboard !== true) return undefined;
  const paths = runPaths(runFolder);
  return new TensorBoardLog({
    folder: paths.tensorboard,
    previews: paths.previews,
    nextStep: step + 1,
    earlier: async () => [
      ...(await readMetrics(paths.metrics, step)).lines,
      ...(await readValidations(paths.metrics, step)),
    ],
    nowMs: monotonicNowMs,
    onProblem: (reason) => logger.error(`nothing more is written for TensorBoard: ${reason}; training goes on`),
    onSkipped: (reason) => logger.warn(`a picture is left out for TensorBoard, and others may be: ${reason}`),
  });
}

function preparePreviews(
  { previews, configuration, runName, runFolder, logger }: CoordinatorOptions,
  onWritten: (step: number, images: readonly PreviewImage[]) => void,
): PreviewWriter | undefined {
  if (previews === undefined) return undefined;
  return new PreviewWriter({
    run: runName,
    folder: runPaths(runFolder).previews,
    configuration,
    subjects: () =>
      Promise.all(
        previews.photos.map(async ({ name, path }, order) =>
          previewSubject(name, await readImage(path), order, configuration),
        ),
      ),
    computer: previews.computer,
    nowMs: monotonicNowMs,
    onWritten,
    onProblem: (reason) => logger.warn(`no preview: ${reason}`),
  });
}

/** Comes after the folder was begun: what waits in it is gone on with. */
async function prepareValidation(
  { validation, configuration, runName, runFolder, logger }: CoordinatorOptions,
  { folder, state, validations }: OpenedRun,
  show: (line: ValidationLine) => void,
  metrics: CoordinatorMetrics,
): Promise<ValidationWriter | undefined> {
  if (validation === undefined || configuration.validation.every === 0) return undefined;
  const { validation: waiting, bestModel } = runPaths(runFolder);
  return ValidationWriter.open({
    ...validation,
    run: runName,
    configuration,
    folder: waiting,
    bestModel,
    fromStep: state.step,
    validated: validations.map(({ step }) => step),
    onMeasured: async (summary) => {
      const line = validationLine(summary, new Date());
      await folder.recordValidation(line);
      show(line);
      const { step, psnr, updates, bicubic } = summary;
      logger.info(
        `validation of step ${step}: ${psnr.at(-1)} dB after ${updates.at(-1)} updates, bicubic ${bicubic} dB`,
      );
    },
    onWaiting: (models) => metrics.validationsWaiting(models),
    onProblem: (reason) => logger.warn(`not validated: ${reason}`),
  });
}

function showPreviews(metrics: CoordinatorMetrics, images: readonly PreviewImage[]): void {
  for (const { name, updates, entries } of images) {
    const psnr = entries.at(-1)?.psnr;
    if (psnr === undefined) continue;
    metrics.showPreview(name, 0, psnr.before);
    metrics.showPreview(name, updates, psnr.adapted);
  }
}

function checkpointWritten(
  { step, reason, seconds, path, bytes, problem }: CheckpointOutcome,
  metrics: CoordinatorMetrics,
  recorder: EventRecorder,
  leadership: Leadership | undefined,
): void {
  if (path === undefined) {
    metrics.checkpointFailed();
    const kept = "older checkpoints stay usable, and the next one is tried";
    recorder.record({ kind: "checkpoint", step, reason: `could not be written (${problem}); ${kept}` });
  } else {
    metrics.checkpointWritten(seconds, monotonicNowMs());
    leadership?.onCheckpoint(step, bytes);
    recorder.record({ kind: "checkpoint", step, reason });
  }
}

function layoutOf({ configuration: { model, metaTraining } }: CoordinatorOptions) {
  return metaLayout(model, metaTraining.innerSteps, metaTraining.learnedRates);
}

function httpHost({ listen }: CoordinatorOptions): string {
  return listen.httpHost ?? listen.host;
}

/** Milliseconds since 1970 on a clock that nobody sets back. */
function monotonicNowMs(): number {
  return performance.timeOrigin + performance.now();
}

function addressOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
