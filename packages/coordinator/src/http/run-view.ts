/**
 * What can be told about a run: the live one from memory, another one of the same folder from its files.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type ActivityColumns,
  type ClusterStatus,
  type Configuration,
  type HistoryRange,
  loadConfiguration,
  type MetricsColumns,
  type RunEventRecord,
  type RunListing,
  StepHistory,
} from "@mzsr/shared";
import { readJsonLines, readMetrics, summaryOf } from "../run/metrics-log.js";
import { runPaths } from "../run/run-folder.js";

/** A run as the HTTP server sees it. */
export interface RunView {
  readonly folder: string;
  status(): ClusterStatus;
  metrics(range: HistoryRange): MetricsColumns;
  /** The newest `last` events, oldest first. */
  events(last: number): readonly RunEventRecord[];
  activity(): ActivityColumns;
}

/** A run that nobody works on, read again when its files have changed. */
interface ReadRun {
  readonly changedMs: number;
  readonly view: RunView;
}

/** The runs that lie beside the live one. */
export class RunArchive {
  readonly #parent: string;
  readonly #live: string;
  readonly #read = new Map<string, ReadRun>();

  /** @param liveFolder folder of the run that is live, which is left out here */
  constructor(liveFolder: string) {
    this.#parent = dirname(liveFolder);
    this.#live = basename(liveFolder);
  }

  /** A run by its folder's name; undefined when there is none. */
  async find(name: string): Promise<RunView | undefined> {
    if (name === this.#live || name === "." || name === ".." || /[/\\\0]/.test(name)) return undefined;
    const folder = join(this.#parent, name);
    const changedMs = await newestChange(folder);
    if (changedMs === undefined) return undefined;
    const known = this.#read.get(name);
    if (known?.changedMs === changedMs) return known.view;
    const view = await readRun(folder);
    if (view !== undefined) this.#read.set(name, { changedMs, view });
    return view;
  }

  /** All of them, the newest first. */
  async list(): Promise<RunListing[]> {
    const names = await readdir(this.#parent).catch(() => []);
    const found = await Promise.all(names.map(async (name) => ({ name, view: await this.find(name) })));
    return found
      .flatMap(({ name, view }) => (view === undefined ? [] : [{ name, view }]))
      .sort((a, b) => (this.#read.get(b.name)?.changedMs ?? 0) - (this.#read.get(a.name)?.changedMs ?? 0))
      .map(({ name, view }) => ({ run: name, live: false, status: view.status() }));
  }
}

async function newestChange(folder: string): Promise<number | undefined> {
  const paths = runPaths(folder);
  const changed = async (path: string) => (await stat(path).catch(() => undefined))?.mtimeMs;
  const configuration = await changed(paths.configuration);
  return configuration === undefined ? undefined : Math.max(configuration, (await changed(paths.metrics)) ?? 0);
}

async function readRun(folder: string): Promise<RunView | undefined> {
  const paths = runPaths(folder);
  const configuration = await loadConfiguration({ file: paths.configuration }).catch(() => undefined);
  if (configuration === undefined) return undefined;
  const history = new StepHistory();
  for (const line of (await readMetrics(paths.metrics)).lines) history.append(summaryOf(line));
  const { lines: events } = await readJsonLines<RunEventRecord>(paths.events);
  const run = basename(folder);
  const status = archivedStatus(run, configuration, history.columns(run, { points: 1 }));
  return {
    folder,
    status: () => status,
    metrics: (range) => history.columns(run, range),
    events: (last) => events.slice(-last),
    activity: () => ({ from: 0, spanSeconds: 5, workers: [] }),
  };
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
