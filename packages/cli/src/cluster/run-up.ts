/** `mzsr up`: a whole cluster on this machine, from nothing to a trained model, and nothing left running after it. */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { CoordinatorResult, RunningCoordinator } from "@mzsr/coordinator";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
import { Closers, type ClusterStatus } from "@mzsr/shared";
import { chooseKernel } from "../photos/kernel-choice.js";
import { backendName } from "../photos/use-backend.js";
import { LiveDisplay } from "../progress/live-display.js";
import { counted } from "../progress/numbers.js";
import type { Terminal } from "../progress/terminal.js";
import { reportOnRun } from "../report/report-on-run.js";
import { type HttpOptions, httpGuardFrom } from "./http-access.js";
import { foldersOf } from "./image-paths.js";
import { fileLog } from "./logger.js";
import { type PreparedRun, prepareRun, type RunOptions } from "./prepare-run.js";
import { findNatsServer, NATS_HINT, startNats } from "./processes/nats-process.js";
import { proveBackend } from "./processes/prove-backend.js";
import { WorkerProcesses } from "./processes/worker-processes.js";
import { type StartedRun, startRun } from "./start-run.js";
import { StopSignals } from "./stop-signals.js";

export interface UpOptions extends RunOptions, HttpOptions {
  readonly workers: number;
  readonly slots?: number;
  readonly httpPort: number;
  readonly report?: boolean;
  readonly kernel: string;
}

const LOOPBACK = "127.0.0.1";
const REDRAW_MS = 250;
/** Lines about the images that are shown at the start. */
const MOST_NOTES = 20;
/** How long workers may take to leave after the run is over, and a coordinator without workers to stop. */
const LEAVE_MS = 10_000;

/** @throws InputError, RunError */
export async function runUp(options: UpOptions, terminal: Terminal): Promise<void> {
  if (options.report === true) await chooseKernel(options.kernel);
  const run = await prepareRun(options, new Date());
  const display = new LiveDisplay(terminal);
  const end = await train(run, options, display, terminal.interactive);
  if (!end.complete) {
    terminal.note(`Stopped after step ${end.step}. Go on with: npx mzsr up --run ${run.folder} --resume`);
    return;
  }
  terminal.note(`Finished: ${join(run.folder, "model.safetensors")}`);
  if (options.report === true) await reportOnRun(run.folder, options.kernel, terminal);
}

async function train(
  run: PreparedRun,
  options: UpOptions,
  display: LiveDisplay,
  interactive: boolean,
): Promise<CoordinatorResult> {
  const closers = new Closers();
  const signals = new StopSignals();
  try {
    const natsUrl = await startHeartbeats(closers, display);
    const started = await signals.duringStart(startHere(run, options, natsUrl, closers));
    for (const line of introduction(run, started, options)) display.note(line);
    const workers = startWorkers(run, options, started, natsUrl, display);
    closers.add(() => workers.stop());
    const end = await followToTheEnd(started.coordinator, workers, signals, display, interactive);
    workers.letGo();
    // Workers of a finished run leave by themselves; those of a stopped one would wait for it to go on.
    if (end.complete) await Promise.race([workers.gone, delay(LEAVE_MS, undefined, { ref: false })]);
    return end;
  } finally {
    signals.close();
    display.clear();
    await closers.close();
  }
}

/** The address of a nats-server of this run's own; undefined, said why, where there is none. */
async function startHeartbeats(closers: Closers, display: LiveDisplay): Promise<string | undefined> {
  const command = await findNatsServer(process.env.PATH ?? "");
  if (command === undefined) {
    display.note(NATS_HINT);
    return undefined;
  }
  try {
    const nats = await startNats(command);
    closers.add(() => nats.stop());
    return nats.url;
  } catch (thrown) {
    display.note(`${messageOf(thrown)}; going on without heartbeats over NATS`);
    return undefined;
  }
}

async function startHere(
  run: PreparedRun,
  options: UpOptions,
  natsUrl: string | undefined,
  closers: Closers,
): Promise<StartedRun> {
  // The workers would find it out, but after the run before is deleted.
  if (run.replace) await proveBackend(backendName(run.configuration.backend));
  const log = fileLog(join(run.folder, "logs", "coordinator.log"), { run: run.name });
  const started = await startRun(run, {
    listen: { host: LOOPBACK, grpcPort: 0, httpPort: options.httpPort },
    http: httpGuardFrom(options),
    nats: natsUrl === undefined ? undefined : { servers: [natsUrl] },
    tensorboard: options.tensorboard,
    logger: log.logger,
  });
  log.open();
  const { coordinator } = started;
  closers.add(() => Promise.race([coordinator.stop("the command ends"), delay(LEAVE_MS, undefined, { ref: false })]));
  closers.add(() => started.withdraw());
  return started;
}

function introduction(run: PreparedRun, { coordinator, url }: StartedRun, options: UpOptions): string[] {
  const { pretraining, metaTraining } = run.configuration;
  return [
    `Run ${run.folder}: ${pretraining.steps} steps of pretraining, ${metaTraining.steps} of meta-training, ${counted(options.workers, "worker")}`,
    `Page ${url}  ·  workers join at ${coordinator.grpcAddress}`,
    ...shortened(coordinator.datasetNotes),
  ];
}

/** A thousand photos may have a thousand notes; the coordinator's log has them all. */
function shortened(notes: readonly string[]): string[] {
  if (notes.length <= MOST_NOTES) return [...notes];
  return [...notes.slice(0, MOST_NOTES), `… and ${notes.length - MOST_NOTES} more on images, in logs/coordinator.log`];
}

function startWorkers(
  run: PreparedRun,
  options: UpOptions,
  { coordinator, images }: StartedRun,
  natsUrl: string | undefined,
  display: LiveDisplay,
): WorkerProcesses {
  const cores = Math.max(1, Math.floor(availableParallelism() / options.workers));
  return new WorkerProcesses({
    count: coordinator.status().phase === "finished" ? 0 : options.workers,
    logFolder: join(run.folder, "logs"),
    onNote: (text) => display.note(text),
    argumentsOf: (name) => [
      ...["--coordinator", coordinator.grpcAddress, "--name", name, "--cores", String(cores)],
      ...(options.slots === undefined ? [] : ["--slots", String(options.slots)]),
      ...["--backend", backendName(run.configuration.backend), "--metrics-port", "0"],
      ...(natsUrl === undefined ? [] : ["--nats", natsUrl]),
      ...foldersOf(images).flatMap((folder) => ["--local-images", folder]),
    ],
  });
}

/** Shows progress until the run is over, is stopped by a signal, or has no worker left. */
async function followToTheEnd(
  coordinator: RunningCoordinator,
  workers: WorkerProcesses,
  signals: StopSignals,
  display: LiveDisplay,
  interactive: boolean,
): Promise<CoordinatorResult> {
  const show = (status: ClusterStatus) => display.show(status, performance.now());
  const timer = setInterval(() => show(coordinator.status()), interactive ? REDRAW_MS : 4 * REDRAW_MS);
  try {
    const stoppedAtOnce = new Promise<CoordinatorResult>((resolve, reject) => {
      signals.take((count) => {
        const complete = completed(coordinator);
        if (count > 1 && complete === undefined) {
          workers.kill();
          reject(new RunError("stopped at once; the newest checkpoint stays, --resume goes on from it"));
          return;
        }
        if (count > 1) return resolve(complete!);
        display.note(
          complete === undefined
            ? "Stopping: finishing the step, then a checkpoint. Ctrl-C again stops at once."
            : "The run is finished; its last preview and what is not yet validated are left out.",
        );
        // What it resolves to, and how it may fail, is what `finished` tells.
        coordinator.stop("stopped by the user").catch(() => undefined);
      });
    });
    const end = await Promise.race([coordinator.finished, stoppedAtOnce, noWorkerLeft(workers, coordinator)]);
    if (end.complete) show(coordinator.status());
    return end;
  } finally {
    clearInterval(timer);
    signals.close();
  }
}

/** How a run ended whose model stands on the disk, whatever still goes on; undefined while there is none. */
function completed(coordinator: RunningCoordinator): CoordinatorResult | undefined {
  const { modelPath } = coordinator;
  return modelPath === undefined ? undefined : { complete: true, step: coordinator.status().step, modelPath };
}

/**
 * Rejects when the last worker is gone and the run is not over.
 * @throws InputError with what a worker found wrong at its start; RunError when they died
 */
async function noWorkerLeft(workers: WorkerProcesses, coordinator: RunningCoordinator): Promise<CoordinatorResult> {
  await workers.gone;
  if (workers.complaint !== undefined && coordinator.status().phase === "waiting") {
    throw new InputError(workers.complaint);
  }
  // Workers leave when the run is over, too; what the coordinator still does then has bounds of its own.
  if (coordinator.status().phase === "finished") return coordinator.finished;
  const end = await Promise.race([coordinator.finished, delay(LEAVE_MS, undefined, { ref: false })]);
  if (end !== undefined) return end;
  throw new RunError(
    "no worker is left; their logs are in the run folder, --resume goes on from the newest checkpoint",
  );
}
