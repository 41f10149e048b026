/** What a run's folder tells of it when nobody works on it. Links in the folder are not followed out of it. */
import { lstat, stat } from "node:fs/promises";
import { basename, relative } from "node:path";
import {
  type ClusterStatus,
  type Configuration,
  loadConfiguration,
  type RunEventRecord,
  type StepSummary,
} from "@mzsr/shared";
import { StepHistory } from "../history/step-history.js";
import { fileInside } from "../run/inside.js";
import { lastMetricsLine, readJsonLines, readMetrics, readValidations, summaryOf } from "../run/metrics-log.js";
import { runPaths } from "../run/run-folder.js";
import type { RunView } from "./run-view.js";

/** When a run last did something, milliseconds since the epoch; undefined where there is none that may be read. */
export async function lastChangeMs(folder: string): Promise<number | undefined> {
  const { configuration, metrics, events } = runPaths(folder);
  const changes = await Promise.all([configuration, metrics, events].map((path) => changeOf(folder, path)));
  const [configured, ...others] = changes;
  if (typeof configured !== "number" || others.includes("elsewhere")) return undefined;
  return Math.max(configured, typeof changes[1] === "number" ? changes[1] : 0);
}

async function changeOf(folder: string, path: string): Promise<number | "absent" | "elsewhere"> {
  const file = await fileInside(folder, relative(folder, path));
  if (file !== undefined) return (await stat(file)).mtimeMs;
  const there = await lstat(path).catch(() => undefined);
  return there === undefined ? "absent" : "elsewhere";
}

/** Everything of a run. Undefined for a folder without a usable configuration. */
export async function readRun(folder: string, run: string): Promise<RunView | undefined> {
  const paths = runPaths(folder);
  const configuration = await configurationIn(folder);
  if (configuration === undefined) return undefined;
  const history = new StepHistory();
  for (const line of (await readMetrics(paths.metrics)).lines) history.append(summaryOf(line));
  const validations = await readValidations(paths.metrics);
  const { lines: events } = await readJsonLines<RunEventRecord>(paths.events);
  const status = storedStatusOf(run, configuration, history.columns(run, { points: 1 }).latest);
  return {
    folder,
    status: () => status,
    metrics: (range) => history.columns(run, range),
    validations: () => validations,
    events: (last) => events.slice(-last),
    activity: () => ({ from: 0, spanSeconds: 5, workers: [] }),
  };
}

/** The last state of a run that nobody works on; undefined for a folder that holds no run that may be read. */
export async function storedStatus(folder: string): Promise<ClusterStatus | undefined> {
  return (await lastChangeMs(folder)) === undefined ? undefined : readStatus(folder, basename(folder));
}

/** The same of a run that may be read, from the end of its metrics alone. Undefined as of `readRun`. */
export async function readStatus(folder: string, run: string): Promise<ClusterStatus | undefined> {
  const configuration = await configurationIn(folder);
  if (configuration === undefined) return undefined;
  const latest = await lastMetricsLine(runPaths(folder).metrics);
  return storedStatusOf(run, configuration, latest === undefined ? undefined : summaryOf(latest));
}

async function configurationIn(folder: string): Promise<Configuration | undefined> {
  return loadConfiguration({ file: runPaths(folder).configuration }).catch(() => undefined);
}

function storedStatusOf(
  run: string,
  configuration: Configuration,
  latest: StepSummary | null | undefined,
): ClusterStatus {
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
