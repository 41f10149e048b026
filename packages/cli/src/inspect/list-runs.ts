import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError, reasonOf } from "@mzsr/mzsr";
import { type Configuration, loadConfiguration } from "@mzsr/shared";
import { readAnnouncement } from "../cluster/announcement.js";
import { readSteps } from "../cluster/read-steps.js";
import { significant } from "../progress/numbers.js";
import type { Terminal } from "../progress/terminal.js";
import { readAbout } from "./about-run.js";

export interface RunsOptions {
  readonly json?: boolean;
  readonly search?: string;
  readonly note?: string;
  readonly tag?: readonly string[];
  readonly untag?: readonly string[];
  readonly remove?: boolean;
}

/** What a run folder says about its run. */
export interface RunSummary {
  readonly run: string;
  readonly state: "running" | "finished" | "stopped";
  readonly step: number;
  readonly totalSteps: number;
  /** Query losses of the newest meta-step, before and after adaptation. */
  readonly lossBefore: number | undefined;
  readonly lossAfter: number | undefined;
  /** The model that it started from, if any. */
  readonly init: string | undefined;
  /** What was written of it; empty for nothing. */
  readonly note: string;
  readonly tags: readonly string[];
  /** When it last changed, milliseconds since the epoch. */
  readonly changedAt: number;
  /** The page, while it runs. */
  readonly url: string | undefined;
}

const RUNS = "runs";

/** `mzsr runs`. @throws InputError when there is no such folder */
export async function listRuns(folder: string, options: RunsOptions, terminal: Terminal): Promise<void> {
  const names = await readdir(folder).catch((thrown: unknown) => {
    // Where `mzsr up` puts runs by default: nobody named it, and before the first run it is not there.
    if (folder === RUNS && (thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new InputError(`cannot be read (${reasonOf(thrown)})`, {
      where: folder,
      expected: "a folder of runs",
    });
  });
  const found = await Promise.all(names.map((name) => summarise(folder, name)));
  const runs = found
    .filter((run) => run !== undefined)
    .filter((run) => matches(run, options.search))
    .sort((a, b) => a.changedAt - b.changedAt);
  if (options.json === true) return terminal.json(runs);
  if (runs.length === 0 && options.search !== undefined)
    return terminal.note(`${folder}: no run has ${options.search}`);
  if (runs.length === 0) terminal.note(`${folder}: no runs; start one with: npx mzsr up --preset quick`);
  const width = Math.max(0, ...runs.map(({ run }) => run.length));
  for (const run of runs) terminal.line(lineOf(run, width));
}

/** Whatever the case of its letters. */
function matches({ run, note, tags, init = "" }: RunSummary, search: string | undefined): boolean {
  if (search === undefined) return true;
  return [run, note, init, ...tags].some((text) => text.toLowerCase().includes(search.toLowerCase()));
}

function lineOf(
  { run, state, step, totalSteps, lossBefore, lossAfter, init, changedAt, url, note, tags }: RunSummary,
  width: number,
): string {
  const loss = lossAfter === undefined ? "" : `  loss ${significant(lossBefore)} → ${significant(lossAfter)}`;
  const start = init === undefined ? "" : `  from ${init}`;
  const changed = new Date(changedAt).toISOString().slice(0, 16).replace("T", " ");
  return `${run.padEnd(width)}  ${state.padEnd(8)}  ${changed}  step ${step} of ${totalSteps}${loss}${start}${url === undefined ? "" : `  ${url}`}${tags.map((tag) => `  #${tag}`).join("")}${note === "" ? "" : `  ${note}`}`;
}

/** Undefined for a folder that holds no run. */
async function summarise(parent: string, name: string): Promise<RunSummary | undefined> {
  const folder = join(parent, name);
  const configuration = await readable(join(folder, "config.yaml"));
  if (configuration === undefined) return undefined;
  const steps = await readSteps(folder);
  const announcement = await readAnnouncement(folder);
  const modelAt = await changed(join(folder, "model.safetensors"));
  const last = steps.at(-1);
  return {
    run: name,
    state: announcement !== undefined ? "running" : modelAt > 0 ? "finished" : "stopped",
    step: last?.step ?? 0,
    totalSteps: configuration.pretraining.steps + configuration.metaTraining.steps,
    lossBefore: last?.queryLosses[0],
    lossAfter: last?.queryLosses.at(-1),
    init: configuration.init,
    ...(await readAbout(folder)),
    changedAt: Math.max(
      modelAt,
      await changed(join(folder, "metrics.jsonl")),
      await changed(join(folder, "config.yaml")),
    ),
    url: announcement?.http,
  };
}

async function readable(file: string): Promise<Configuration | undefined> {
  return loadConfiguration({ file }).catch(() => undefined);
}

/** 0 for a file that is not there. */
async function changed(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}
