/** A run's folder (DESIGN §8): what is in it when a coordinator starts, and what the coordinator writes while it runs. */
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type Configuration,
  configurationSchema,
  InputError,
  loadConfiguration,
  messageOf,
  type RunEvent,
  type RunEventRecord,
  removeUnfinished,
  type StepSummary,
  writeConfiguration,
} from "@mzsr/shared";
import type { TrainingState } from "../core/training-state.js";
import { tidyPreviews } from "../previews/preview-files.js";
import { type Checkpoint, type CheckpointFacts, CheckpointStore, encodeCheckpoint } from "./checkpoints.js";
import { type DiskListener, JsonLines } from "./json-lines.js";
import { type MetricsLine, metricsLine, readJsonLines, readMetrics, summaryOf } from "./metrics-log.js";
import { configurationChanges, describeChange } from "./resume-rules.js";
import { RunLock } from "./run-lock.js";

/** Files of a run folder that are replaced as a whole; the command announces where it listens in coordinator.json. */
const REPLACED = ["config.yaml", "model.safetensors", "coordinator.json"];

/** The paths of a run folder. */
export function runPaths(folder: string) {
  return {
    configuration: join(folder, "config.yaml"),
    metrics: join(folder, "metrics.jsonl"),
    events: join(folder, "events.jsonl"),
    checkpoints: join(folder, "checkpoints"),
    model: join(folder, "model.safetensors"),
    previews: join(folder, "previews"),
    tensorboard: join(folder, "tensorboard"),
  };
}

export interface RunFolderOptions {
  readonly path: string;
  readonly run: string;
  readonly configuration: Configuration;
  /** Digest of the data set's content. */
  readonly dataset: string;
  /** Go on from the newest whole checkpoint. */
  readonly resume: boolean;
  /** The state before the first step. */
  readonly firstState: () => TrainingState;
  readonly onDisk: DiskListener;
  /** The lock went to somebody else: stop writing. */
  readonly onLockLost: (reason: string) => void;
}

/** What a coordinator finds when it opens a run folder. */
export interface OpenedRun {
  readonly folder: RunFolder;
  readonly state: TrainingState;
  /** The steps that are behind `state`. */
  readonly steps: readonly StepSummary[];
  readonly events: readonly RunEventRecord[];
  /** How the run goes on, one sentence each; empty for a new run. */
  readonly notes: readonly string[];
}

export class RunFolder {
  readonly #facts: CheckpointFacts;
  readonly #lock: RunLock;
  readonly #checkpoints: CheckpointStore;
  readonly #metrics: JsonLines;
  readonly #events: JsonLines;

  private constructor(
    options: RunFolderOptions,
    lock: RunLock,
    checkpoints: CheckpointStore,
    metrics: JsonLines,
    events: JsonLines,
  ) {
    const { run, configuration, dataset } = options;
    this.#facts = { run, configuration: JSON.stringify(configuration), dataset };
    this.#lock = lock;
    this.#checkpoints = checkpoints;
    this.#metrics = metrics;
    this.#events = events;
  }

  /**
   * Locks a run folder and makes it ready to be written to.
   * @throws InputError when another coordinator has it, when it cannot be resumed so, or when it holds a run already
   */
  static async open(options: RunFolderOptions): Promise<OpenedRun> {
    await makeFolder(options.path);
    const lock = await RunLock.acquire(options.path, options.onLockLost);
    try {
      return await RunFolder.#openLocked(options, lock);
    } catch (thrown) {
      await lock.release();
      throw thrown;
    }
  }

  static async #openLocked(options: RunFolderOptions, lock: RunLock): Promise<OpenedRun> {
    const paths = runPaths(options.path);
    const checkpoints = new CheckpointStore(paths.checkpoints, options.configuration.checkpoints.keep);
    const notes: string[] = [];
    const found = options.resume ? await findCheckpoint(checkpoints, options, notes) : await requireNew(checkpoints);
    const state = found?.state ?? options.firstState();
    const metrics = await readMetrics(paths.metrics, state.step);
    const events = await readJsonLines<RunEventRecord>(paths.events);
    await removeUnfinished(options.path, (name) => REPLACED.includes(name));
    await tidyPreviews(paths.previews);
    await rm(paths.model, { force: true });
    await writeConfiguration(paths.configuration, options.configuration);
    const folder = new RunFolder(
      options,
      lock,
      checkpoints,
      await JsonLines.open(paths.metrics, metrics.bytes, options.onDisk),
      await JsonLines.open(paths.events, events.bytes, options.onDisk),
    );
    return { folder, state, steps: metrics.lines.map(summaryOf), events: events.lines, notes };
  }

  /** Writes a line of metrics.jsonl, and returns it. */
  recordStep(step: StepSummary, time: Date): MetricsLine {
    const line = metricsLine(step, time);
    this.#metrics.append(line);
    return line;
  }

  /** Writes a line of events.jsonl. */
  recordEvent(event: RunEventRecord): void {
    this.#events.append(event);
  }

  /** The bytes of a checkpoint of this run, for the disk and for replicas. */
  encode(state: TrainingState): Uint8Array<ArrayBuffer> {
    return encodeCheckpoint(state, this.#facts);
  }

  /**
   * Makes a checkpoint durable, the lines of its steps first.
   * @returns its path
   * @throws RunError when the run went to another coordinator, or the disk is full
   */
  async writeCheckpoint(step: number, bytes: Uint8Array): Promise<string> {
    await this.#lock.confirm();
    await this.#metrics.sync();
    return this.#checkpoints.write(step, bytes);
  }

  /** Writes what waits, and gives the folder back. @throws RunError when lines cannot be written */
  async close(): Promise<void> {
    try {
      await this.#metrics.close();
    } finally {
      await this.#events.close().finally(() => this.#lock.release());
    }
  }
}

/** An event with the time it is written with. */
export function recordOf(event: RunEvent, at: number): RunEventRecord {
  return { at: Math.round(at), ...event };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (thrown) {
    throw new InputError(`the run folder cannot be made (${messageOf(thrown)})`, {
      where: path,
      expected: "a folder that is writable",
    });
  }
}

async function requireNew(checkpoints: CheckpointStore): Promise<undefined> {
  const [first] = await checkpoints.list();
  if (first === undefined) return undefined;
  throw new InputError("the folder holds a run with checkpoints", {
    where: first.path,
    expected: "--resume to go on with it, or another --run",
  });
}

async function findCheckpoint(
  checkpoints: CheckpointStore,
  options: RunFolderOptions,
  notes: string[],
): Promise<Checkpoint | undefined> {
  const { checkpoint, path, skipped } = await checkpoints.newest();
  for (const broken of skipped) notes.push(`passed over ${broken.path}: ${broken.reason}`);
  const before = await configurationBefore(checkpoint, options.path);
  if (before !== undefined) checkChanges(before, checkpoint, options, notes);
  if (checkpoint !== undefined && checkpoint.dataset !== options.dataset) {
    throw new InputError("the training images are not those that the run began with", {
      where: path,
      expected: "the same files in `data`, or another --run",
    });
  }
  await checkpoints.setAside(skipped);
  notes.push(
    checkpoint === undefined
      ? "no whole checkpoint: starting at step 0"
      : `going on from step ${checkpoint.state.step}, theta ${checkpoint.thetaSha256} (${path})`,
  );
  return checkpoint;
}

/** The configuration that the checkpoint was computed with; where there is none yet, config.yaml's. */
async function configurationBefore(
  checkpoint: Checkpoint | undefined,
  folder: string,
): Promise<Configuration | undefined> {
  if (checkpoint !== undefined) return configurationSchema.parse(JSON.parse(checkpoint.configuration));
  const file = runPaths(folder).configuration;
  const there = await stat(file).then(
    () => true,
    () => false,
  );
  return there ? loadConfiguration({ file }) : undefined;
}

function checkChanges(
  before: Configuration,
  checkpoint: Checkpoint | undefined,
  options: RunFolderOptions,
  notes: string[],
): void {
  const progress = { step: checkpoint?.state.step ?? 0, backend: checkpoint?.state.backend };
  const changes = configurationChanges(before, options.configuration, progress);
  const unsafe = changes.filter(({ safe }) => !safe);
  if (progress.step > 0 && unsafe.length > 0) {
    const safe = changes.filter((change) => change.safe).map(({ path }) => path);
    const harmless = safe.length === 0 ? "" : `; these may change: ${safe.join(", ")}`;
    throw new InputError(`the run was begun with another configuration: ${unsafe.map(describeChange).join(", ")}`, {
      where: options.path,
      expected: `the same values, or another --run${harmless}`,
    });
  }
  for (const change of changes) notes.push(`changed ${describeChange(change)}`);
}
