/** A run's folder (docs/design.md §8): what is in it when a coordinator starts, and what the coordinator writes while it runs. */
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError, messageOf, removeUnfinished } from "@mzsr/mzsr";
import {
  type Configuration,
  configurationSchema,
  loadConfiguration,
  type RunEvent,
  type RunEventRecord,
  type StepSummary,
  writeConfiguration,
} from "@mzsr/shared";
import type { TrainingState } from "../core/training-state.js";
import { tidyPreviews } from "../previews/preview-files.js";
import { type Checkpoint, type CheckpointFacts, CheckpointStore, encodeCheckpoint } from "./checkpoints.js";
import { checkReplaceable, recover, restore, setAside } from "./fresh-start.js";
import { type DiskListener, JsonLines } from "./json-lines.js";
import {
  type MetricsLine,
  metricsLine,
  readJsonLines,
  readMetrics,
  readValidations,
  summaryOf,
  type ValidationLine,
} from "./metrics-log.js";
import { configurationChanges, describeChange } from "./resume-rules.js";
import { removeAside } from "./run-contents.js";
import { RunLock } from "./run-lock.js";
import { claimRunFolder } from "./run-marker.js";

/** Files of a run folder that are replaced as a whole; the command announces where it listens in coordinator.json. */
const REPLACED = ["config.yaml", "model.safetensors", "model-best.safetensors", "coordinator.json"];

/** The paths of a run folder. */
export function runPaths(folder: string) {
  return {
    configuration: join(folder, "config.yaml"),
    metrics: join(folder, "metrics.jsonl"),
    events: join(folder, "events.jsonl"),
    checkpoints: join(folder, "checkpoints"),
    model: join(folder, "model.safetensors"),
    bestModel: join(folder, "model-best.safetensors"),
    validation: join(folder, "validation"),
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
  /** Begin in the place of the run that is there, if any. */
  readonly replace?: boolean | undefined;
  /** The state before the first step; asked for only where no checkpoint is gone on from. */
  readonly firstState: () => TrainingState | Promise<TrainingState>;
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
  /** What was measured of them so far, in their order. */
  readonly validations: readonly ValidationLine[];
  readonly events: readonly RunEventRecord[];
  /** How the run goes on, one sentence each; empty for a new run. */
  readonly notes: readonly string[];
}

/** How much of what stands in the two logs is kept, bytes. */
interface KeptBytes {
  readonly metrics: number;
  readonly events: number;
}

export class RunFolder {
  readonly #options: RunFolderOptions;
  readonly #facts: CheckpointFacts;
  readonly #lock: RunLock;
  readonly #checkpoints: CheckpointStore;
  readonly #kept: KeptBytes;
  /** Validations of steps that stay, whose lines stand behind what is cut off. */
  #carried: readonly ValidationLine[] = [];
  /** What happened before `begin`. */
  readonly #early: RunEventRecord[] = [];
  #metrics: JsonLines | undefined;
  #events: JsonLines | undefined;

  private constructor(options: RunFolderOptions, lock: RunLock, checkpoints: CheckpointStore, kept: KeptBytes) {
    const { run, configuration, dataset } = options;
    this.#options = options;
    this.#facts = { run, configuration: JSON.stringify(configuration), dataset };
    this.#lock = lock;
    this.#checkpoints = checkpoints;
    this.#kept = kept;
  }

  /**
   * Locks a run folder and reads it. What is in it stays as it is until `begin`.
   * @throws InputError when another coordinator has it, when it cannot be resumed so, when it holds a run already, or
   * something that no run wrote where a run is to be replaced
   */
  static async open(options: RunFolderOptions): Promise<OpenedRun> {
    if (options.replace === true) await checkReplaceable(options.path);
    await claimRunFolder(options.path);
    const lock = await RunLock.acquire(options.path, options.onLockLost);
    try {
      await recover(options.path);
      return await RunFolder.#openLocked(options, lock);
    } catch (thrown) {
      await lock.release();
      throw thrown;
    }
  }

  static async #openLocked(options: RunFolderOptions, lock: RunLock): Promise<OpenedRun> {
    const paths = runPaths(options.path);
    const checkpoints = new CheckpointStore(paths.checkpoints, options.configuration.checkpoints.keep);
    if (options.replace === true) {
      const folder = new RunFolder(options, lock, checkpoints, { metrics: 0, events: 0 });
      return { folder, state: await options.firstState(), steps: [], validations: [], events: [], notes: [] };
    }
    const notes: string[] = [];
    const found = options.resume ? await findCheckpoint(checkpoints, options, notes) : await requireNew(checkpoints);
    const state = found?.state ?? (await options.firstState());
    const metrics = await readMetrics(paths.metrics, state.step);
    const validations = await readValidations(paths.metrics, state.step);
    const events = await readJsonLines<RunEventRecord>(paths.events);
    const folder = new RunFolder(options, lock, checkpoints, { metrics: metrics.bytes, events: events.bytes });
    folder.#carried = validations.filter(({ step }) => !metrics.validated.has(step));
    return { folder, state, steps: metrics.lines.map(summaryOf), validations, events: events.lines, notes };
  }

  /**
   * Makes the folder ready to be written to. For when everything else that the run needs is there: from here on the
   * folder is this run's, and a run that it replaces is gone.
   * @returns what could not be deleted of that run, and why; undefined when nothing is left of it
   * @throws what the file system does; the run that was to be replaced is as it was then
   */
  async begin(): Promise<string | undefined> {
    const { path, replace } = this.#options;
    if (replace !== true) {
      await this.#openFiles();
      return undefined;
    }
    await setAside(path);
    try {
      await this.#openFiles();
    } catch (thrown) {
      await restore(path);
      throw thrown;
    }
    return removeAside(path).then(() => undefined, messageOf);
  }

  async #openFiles(): Promise<void> {
    const { path, configuration, onDisk } = this.#options;
    const paths = runPaths(path);
    await removeUnfinished(path, (name) => REPLACED.includes(name));
    await tidyPreviews(paths.previews);
    await rm(paths.model, { force: true });
    await writeConfiguration(paths.configuration, configuration);
    this.#events = await JsonLines.open(paths.events, this.#kept.events, onDisk);
    for (const event of this.#early) this.#events.append(event);
    // The last one: that it is there says that the run has begun.
    this.#metrics = await JsonLines.open(paths.metrics, this.#kept.metrics, onDisk);
    for (const line of this.#carried) this.#metrics.append(line);
  }

  /** Writes a line of metrics.jsonl, and returns it. */
  recordStep(step: StepSummary, time: Date): MetricsLine {
    const line = metricsLine(step, time);
    this.#begun(this.#metrics).append(line);
    return line;
  }

  /** Makes the line of a validation durable. @throws RunError when the disk is full */
  async recordValidation(line: ValidationLine): Promise<void> {
    const metrics = this.#begun(this.#metrics);
    metrics.append(line);
    await metrics.sync();
  }

  /** Writes a line of events.jsonl. */
  recordEvent(event: RunEventRecord): void {
    if (this.#events === undefined) this.#early.push(event);
    else this.#events.append(event);
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
    await this.#begun(this.#metrics).sync();
    return this.#checkpoints.write(step, bytes);
  }

  /** Writes what waits, and gives the folder back. @throws RunError when lines cannot be written */
  async close(): Promise<void> {
    try {
      await this.#metrics?.close();
    } finally {
      await (this.#events?.close() ?? Promise.resolve()).finally(() => this.#lock.release());
    }
  }

  #begun(file: JsonLines | undefined): JsonLines {
    if (file === undefined) throw new Error("the run has not begun");
    return file;
  }
}

/** An event with the time it is written with. */
export function recordOf(event: RunEvent, at: number): RunEventRecord {
  return { at: Math.round(at), ...event };
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
