import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { runPaths, storedStatus } from "@mzsr/coordinator";
import { InputError, RunError } from "@mzsr/mzsr";
import { type ClusterStatus, natsOptions } from "@mzsr/shared";
import { readAnnouncement } from "../cluster/announcement.js";
import { type HttpSecretOptions, httpSecretFrom, leadsHere } from "../cluster/http-access.js";
import { statusLines } from "../progress/status-text.js";
import type { Terminal } from "../progress/terminal.js";
import { askOverHttp, askOverNats } from "./ask-status.js";

export interface StatusOptions extends HttpSecretOptions {
  readonly url?: string;
  readonly nats?: string;
  readonly run?: string;
  readonly json?: boolean;
  /** Name every worker, however many there are. */
  readonly workers?: boolean;
}

/** Where runs are looked for that nobody named. */
export interface Defaults {
  /** Folder of run folders. */
  readonly runs: string;
  /** The page of a coordinator that was not told another port. */
  readonly url: string;
}

const DEFAULTS: Defaults = { runs: "runs", url: "http://127.0.0.1:7701" };

/** What was found out: from a coordinator, or, where nobody works on the run, from its folder. */
interface Found {
  readonly status: ClusterStatus;
  /** Undefined when a coordinator answered. */
  readonly storedIn: string | undefined;
}

/**
 * `mzsr status`.
 * @throws InputError when nobody answers at an address that was given, or a folder holds no run; RunError when there is
 *   nothing to tell of
 */
export async function runStatus(options: StatusOptions, terminal: Terminal, defaults = DEFAULTS): Promise<void> {
  const nats = natsOptions({ servers: options.nats }, process.env);
  if (options.url === undefined && nats !== undefined) {
    const statuses = await askOverNats(nats, options.run);
    if (statuses.length > 1) return tellOfSeveral(statuses, options, terminal);
    return tell({ status: statuses[0]!, storedIn: undefined }, options, terminal);
  }
  const secret = httpSecretFrom(options);
  const found = options.url === undefined ? await find(options.run, defaults, secret) : await live(options.url, secret);
  tell(found, options, terminal);
}

function tell({ status, storedIn }: Found, { json, workers: all = false }: StatusOptions, terminal: Terminal): void {
  if (json === true) {
    terminal.json({ ...status, live: storedIn === undefined });
    return;
  }
  const phase = storedIn !== undefined && status.phase !== "finished" ? "stopped" : status.phase;
  const backend = status.backend ?? "not settled";
  terminal.line(`${status.run}, ${phase}: step ${status.step} of ${status.totalSteps}, backend ${backend}`);
  if (storedIn === undefined) for (const line of statusLines(status, { all })) terminal.line(line);
  else {
    const next = phase === "finished" ? `npx mzsr view ${storedIn}` : `npx mzsr up --run ${storedIn} --resume`;
    terminal.line(`No coordinator works on it now; ${phase === "finished" ? "look at it" : "go on"} with: ${next}`);
  }
}

function tellOfSeveral(statuses: readonly ClusterStatus[], { json }: StatusOptions, terminal: Terminal): void {
  if (json === true) {
    terminal.json(statuses.map((status) => ({ ...status, live: true })));
    return;
  }
  for (const { run, phase, step, totalSteps } of statuses) {
    terminal.line(`${run}, ${phase}: step ${step} of ${totalSteps}`);
  }
  terminal.note(`${statuses.length} runs are on these servers; --run NAME tells more of one.`);
}

async function live(url: string, secret: string | undefined): Promise<Found> {
  return { status: await askOverHttp(url, secret), storedIn: undefined };
}

/** A run on this machine: the one that was asked for, else the newest that is alive, else the newest of all. */
async function find(run: string | undefined, { runs, url }: Defaults, secret: string | undefined): Promise<Found> {
  const announced = (folder: string) => askAnnounced(folder, secret);
  if (run !== undefined) {
    const found = (await announced(run)) ?? (await stored(run));
    if (found !== undefined) return found;
    throw new InputError("no run in it", { where: resolve(run), expected: "a run folder; `npx mzsr runs` lists them" });
  }
  const folders = await foldersNewestFirst(runs);
  return (
    (await firstOf(folders, announced)) ??
    (await live(url, secret).catch(() => undefined)) ??
    (await firstOf(folders, stored)) ??
    nothingIn(runs)
  );
}

function nothingIn(runs: string): never {
  throw new RunError(
    `nothing to tell of: no coordinator runs on this machine, and there is no run in ${runs}/; see --run, --url and --nats`,
  );
}

/** What the coordinator that says that it works on a folder answers, if it does. The folder may have come from anywhere. */
async function askAnnounced(folder: string, secret: string | undefined): Promise<Found | undefined> {
  const announcement = await readAnnouncement(folder);
  if (announcement === undefined || !URL.canParse(announcement.http)) return undefined;
  const { http } = announcement;
  return live(http, leadsHere(http) ? secret : undefined).catch(() => undefined);
}

async function stored(folder: string): Promise<Found | undefined> {
  const status = await storedStatus(resolve(folder));
  return status === undefined ? undefined : { status, storedIn: folder };
}

async function firstOf(folders: readonly string[], ask: (folder: string) => Promise<Found | undefined>) {
  for (const folder of folders) {
    const found = await ask(folder);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function foldersNewestFirst(runs: string): Promise<string[]> {
  const folders = (await readdir(runs).catch(() => [])).map((name) => join(runs, name));
  const dated = await Promise.all(folders.map(async (folder) => ({ folder, at: await changedAt(folder) })));
  return dated.sort((a, b) => b.at - a.at).map(({ folder }) => folder);
}

/** When a run last did something, milliseconds since the epoch; 0 where there is none. */
async function changedAt(folder: string): Promise<number> {
  const { configuration, metrics } = runPaths(folder);
  const times = [configuration, metrics].map(async (file) => (await stat(file).catch(() => undefined))?.mtimeMs ?? 0);
  return Math.max(...(await Promise.all(times)));
}
