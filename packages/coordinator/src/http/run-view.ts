/** What can be told about a run: the live one from memory, another one from its files. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import {
  type ActivityColumns,
  type ClusterStatus,
  type Configuration,
  loadConfiguration,
  type MetricsColumns,
  type RunEventRecord,
  type RunListing,
  type ValidationSummary,
} from "@mzsr/shared";
import { type HistoryRange, StepHistory } from "../history/step-history.js";
import { readJsonLines, readMetrics, readValidations, summaryOf } from "../run/metrics-log.js";
import { runPaths } from "../run/run-folder.js";

/** A run as the HTTP server sees it. */
export interface RunView {
  readonly folder: string;
  status(): ClusterStatus;
  metrics(range: HistoryRange): MetricsColumns;
  /** In the order of their steps. */
  validations(): readonly ValidationSummary[];
  /** The newest `last` events, oldest first. */
  events(last: number): readonly RunEventRecord[];
  /** @param workers names of those that are asked for; all by default */
  activity(workers?: readonly string[]): ActivityColumns;
}

/** Runs that nobody works on, by name. */
export interface RunCollection {
  find(name: string): Promise<RunView | undefined>;
  list(): Promise<RunListing[]>;
}

/** A run that nobody works on, read again when its files have changed. */
interface ReadRun {
  readonly changedMs: number;
  readonly view: RunView;
}

/** Runs read from their folders, and again only when their files have changed. */
class RunFolders {
  readonly #read = new Map<string, ReadRun>();

  /** Undefined for a folder that holds no run. */
  async view(folder: string, name: string): Promise<RunView | undefined> {
    const changedMs = await newestChange(folder);
    if (changedMs === undefined) return undefined;
    const known = this.#read.get(folder);
    if (known?.changedMs === changedMs) return known.view;
    const view = await readRun(folder, name);
    if (view !== undefined) this.#read.set(folder, { changedMs, view });
    return view;
  }

  changedMs(folder: string): number {
    return this.#read.get(folder)?.changedMs ?? 0;
  }
}

/** The runs that lie beside the live one. */
export class RunArchive implements RunCollection {
  readonly #parent: string;
  readonly #live: string;
  readonly #folders = new RunFolders();

  /** @param liveFolder folder of the run that is live, which is left out here */
  constructor(liveFolder: string) {
    this.#parent = dirname(liveFolder);
    this.#live = basename(liveFolder);
  }

  /** A run by its folder's name; undefined when there is none. */
  async find(name: string): Promise<RunView | undefined> {
    if (name === this.#live || name === "." || name === ".." || /[/\\\0]/.test(name)) return undefined;
    return this.#folders.view(join(this.#parent, name), name);
  }

  /** All of them, the newest first. */
  async list(): Promise<RunListing[]> {
    const names = await readdir(this.#parent).catch(() => []);
    const views = await Promise.all(names.map((name) => this.find(name)));
    return views
      .filter((view) => view !== undefined)
      .sort((a, b) => this.#folders.changedMs(b.folder) - this.#folders.changedMs(a.folder))
      .map(listingOf);
  }
}

/** Runs that somebody chose to look at, wherever they lie, in that order. */
export class ChosenRuns implements RunCollection {
  readonly #folderOf: ReadonlyMap<string, string>;
  readonly #folders = new RunFolders();

  /** @param folders absolute paths */
  constructor(folders: readonly string[]) {
    this.#folderOf = new Map(namesOf(folders).map((name, at) => [name, folders[at]!]));
  }

  get names(): string[] {
    return [...this.#folderOf.keys()];
  }

  async find(name: string): Promise<RunView | undefined> {
    const folder = this.#folderOf.get(name);
    return folder === undefined ? undefined : this.#folders.view(folder, name);
  }

  async list(): Promise<RunListing[]> {
    const views = await Promise.all(this.names.map((name) => this.find(name)));
    return views.filter((view) => view !== undefined).map(listingOf);
  }
}

/** Each folder's own name; where two are the same, with as much of the path before it as tells them apart. */
function namesOf(folders: readonly string[]): string[] {
  const unique = [...new Set(folders)];
  const nameOf = (folder: string, parts: number): string => {
    const name = folder.split(sep).slice(-parts).join("/");
    const others = unique.filter((other) => other !== folder && other.split(sep).slice(-parts).join("/") === name);
    return others.length === 0 ? name : nameOf(folder, parts + 1);
  };
  return folders.map((folder) => nameOf(folder, 1));
}

function listingOf(view: RunView): RunListing {
  const status = view.status();
  return { run: status.run, live: false, status };
}

async function newestChange(folder: string): Promise<number | undefined> {
  const paths = runPaths(folder);
  const changed = async (path: string) => (await stat(path).catch(() => undefined))?.mtimeMs;
  const configuration = await changed(paths.configuration);
  return configuration === undefined ? undefined : Math.max(configuration, (await changed(paths.metrics)) ?? 0);
}

async function readRun(folder: string, run: string): Promise<RunView | undefined> {
  const paths = runPaths(folder);
  const configuration = await loadConfiguration({ file: paths.configuration }).catch(() => undefined);
  if (configuration === undefined) return undefined;
  const history = new StepHistory();
  for (const line of (await readMetrics(paths.metrics)).lines) history.append(summaryOf(line));
  const validations = await readValidations(paths.metrics);
  const { lines: events } = await readJsonLines<RunEventRecord>(paths.events);
  const status = archivedStatus(run, configuration, history.columns(run, { points: 1 }));
  return {
    folder,
    status: () => status,
    metrics: (range) => history.columns(run, range),
    validations: () => validations,
    events: (last) => events.slice(-last),
    activity: () => ({ from: 0, spanSeconds: 5, workers: [] }),
  };
}

/** The last state of a run that nobody works on, from its folder; undefined for a folder that holds no run. */
export async function storedStatus(folder: string): Promise<ClusterStatus | undefined> {
  return (await readRun(folder, basename(folder)))?.status();
}

function archivedStatus(run: string, configuration: Configuration, { latest }: MetricsColumns): ClusterStatus {
  const totalSteps = configuration.pretraining.steps + configuration.metaTraining.steps;
  const stage = latest?.stage ?? "pretraining";
  const step = latest?.step ?? 0;
  return {
    run,
    phase: step === totalSteps ? "finished" : "waiting",
    stage,
    step,
    totalSteps,
    stageStep: latest?.stageStep ?? 0,
    stageSteps: configuration[stage].steps,
    losses: {
      supportBefore: latest?.supportLosses[0] ?? null,
      queryBefore: latest?.queryLosses[0] ?? null,
      queryAfter: latest?.queryLosses.at(-1) ?? null,
    },
    tasksPerSecond: null,
    secondsPerStep: null,
    secondsLeft: null,
    backend: configuration.backend === "auto" ? null : configuration.backend,
    workers: [],
    leases: { pending: 0, leased: 0, done: 0, backup: 0, audit: 0 },
    counters: {},
  };
}
