/**
 * From flags to a run folder that is ready: the configuration is valid and nothing of another run is in the way.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { checkReplaceable, foreignFolder, readStart, runFolderState, runPaths } from "@mzsr/coordinator";
import { InputError } from "@mzsr/mzsr";
import {
  type Configuration,
  type ConfigurationOverride,
  loadConfiguration,
  parseOverride,
  SHIPPED_MODEL,
} from "@mzsr/shared";
import { exists } from "../path-kind.js";
import { modelFile } from "../photos/model-path.js";
import { SHIPPED_SCALE, shippedModel } from "../photos/shipped-model.js";
import { readAnnouncement } from "./announcement.js";

export interface RunOptions {
  readonly preset?: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly pretrainSteps?: number;
  readonly steps?: number;
  readonly data?: string;
  readonly skipBad?: boolean;
  readonly init?: string;
  readonly backend?: string;
  readonly seed?: number;
  readonly run?: string;
  readonly resume?: boolean;
  readonly fresh?: boolean;
  readonly tensorboard?: boolean;
}

export interface PreparedRun {
  readonly configuration: Configuration;
  /** Absolute path. */
  readonly folder: string;
  readonly name: string;
  readonly resume: boolean;
  /** There is nothing yet: if the run cannot start, what it wrote goes again. */
  readonly found: "nothing" | "empty folder" | "run";
  /** The run that is there is deleted, when the new one has started. */
  readonly replace: boolean;
}

/**
 * @param now for the name of a run that was given none
 * @throws InputError for a bad configuration, a folder that holds another run, or nothing to resume
 */
export async function prepareRun(options: RunOptions, now: Date): Promise<PreparedRun> {
  const folder = resolve(options.run ?? join("runs", timestamp(now)));
  if (options.resume === true && options.fresh === true) {
    throw new InputError("--resume and --fresh contradict each other", { expected: "one of them" });
  }
  const wanted =
    options.resume === true ? await resumedConfiguration(options, folder) : await newConfiguration(options);
  const configuration = await withStart(wanted, options);
  const resume = options.resume === true;
  const found = await whatIsThere(folder);
  if (found === "run" && !resume) await checkRoom(folder, options.fresh === true);
  const replace = found === "run" && !resume && options.fresh === true;
  return { configuration, folder, name: basename(folder), resume, found, replace };
}

async function newConfiguration(options: RunOptions): Promise<Configuration> {
  return loadConfiguration({ preset: options.preset, file: options.config, overrides: overridesOf(options) });
}

/** The saved configuration with the flags on top; what may change is the coordinator's to judge. */
async function resumedConfiguration(options: RunOptions, folder: string): Promise<Configuration> {
  if (options.run === undefined) {
    throw new InputError("--resume needs to know which run", { expected: "--run DIR; `npx mzsr runs` lists them" });
  }
  if (options.preset !== undefined || options.config !== undefined) return newConfiguration(options);
  const file = join(folder, "config.yaml");
  if (!(await exists(file))) {
    throw new InputError("no run to resume: there is no config.yaml", {
      where: folder,
      expected: "a run folder; `npx mzsr runs` lists them",
    });
  }
  return loadConfiguration({ file, overrides: overridesOf(options) });
}

/**
 * The configuration with the file that it starts from, and that file's SHA-256. A resumed run that knows it already does not
 * look at the file, which it may not need any more.
 */
async function withStart(wanted: Configuration, { init, resume }: RunOptions): Promise<Configuration> {
  if (wanted.init === undefined) return wanted;
  if (resume === true && init === undefined && wanted.initSha256 !== undefined) return wanted;
  const file = wanted.init === SHIPPED_MODEL ? shippedModel(SHIPPED_SCALE) : await modelFile(wanted.init);
  const named = { ...wanted, init: file };
  // Named anew on the command line, it need not be the one whose hash a configuration file has.
  const start = await readStart(init === undefined ? named : { ...named, initSha256: undefined });
  return { ...named, initSha256: start?.sha256 };
}

/** Flags as overrides, each remembering what was typed. Named flags go after `--set`. */
function overridesOf(options: RunOptions): ConfigurationOverride[] {
  const named = (flag: string, path: string, value: unknown): ConfigurationOverride[] =>
    value === undefined ? [] : [{ path, value, where: `${flag} ${value}` }];
  return [
    ...(options.set ?? []).map(parseOverride),
    ...named("--pretrain-steps", "pretraining.steps", options.pretrainSteps),
    ...named("--steps", "metaTraining.steps", options.steps),
    ...named("--data", "data", options.data),
    ...named("--skip-bad", "skipBadImages", options.skipBad),
    ...named("--init", "init", options.init),
    ...named("--backend", "backend", options.backend),
    ...named("--seed", "seed", options.seed),
  ];
}

/** @throws InputError when it is something else than a run */
async function whatIsThere(folder: string): Promise<PreparedRun["found"]> {
  const state = await runFolderState(folder);
  if (state === "foreign") throw foreignFolder(folder);
  return state === "absent" ? "nothing" : state === "empty" ? "empty folder" : "run";
}

/** @throws InputError when a new run may not begin where one is. Nothing is deleted here. */
async function checkRoom(folder: string, fresh: boolean): Promise<void> {
  if (!fresh && !(await hasNoStep(folder))) {
    throw new InputError("the folder holds a run already", {
      where: folder,
      expected: "--resume to go on with it, --fresh to delete it, or another --run",
    });
  }
  const other = await readAnnouncement(folder);
  if (other !== undefined) {
    throw new InputError(`a coordinator works on this run (process ${other.pid}, ${other.http})`, {
      where: folder,
      expected: "another --run, or that coordinator stopped first",
    });
  }
  if (fresh) await checkReplaceable(folder);
}

/** A coordinator opened the folder and did nothing in it, as when no worker could start. In doubt it did. */
async function hasNoStep(folder: string): Promise<boolean> {
  const { metrics, checkpoints, model } = runPaths(folder);
  const bytes = await stat(metrics).then(
    ({ size }) => size,
    (thrown: NodeJS.ErrnoException) => (thrown.code === "ENOENT" ? 0 : undefined),
  );
  const written = await readdir(checkpoints).catch((thrown: NodeJS.ErrnoException) =>
    thrown.code === "ENOENT" ? [] : [thrown.message],
  );
  return bytes === 0 && !(await exists(model)) && written.length === 0;
}

/** `2026-01-31-235959`, local time. */
function timestamp(now: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
