/** Runs that nobody works on, read from their folders. */
import { readdir } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import type { ClusterStatus, RunListing } from "@mzsr/shared";
import type { RunCollection, RunView } from "./run-view.js";
import { lastChangeMs, readRun, readStatus } from "./stored-run.js";

/** Runs whose whole history stays in memory. */
const MOST_VIEWS = 8;

/** What was read of a run, until its files change. */
interface Read<T> {
  readonly changedMs: number;
  readonly content: T;
}

/** Runs read from their folders, and again only when their files have changed. */
class RunFolders {
  /** The one that was asked for last stands last. */
  readonly #views = new Map<string, Read<RunView>>();
  readonly #statuses = new Map<string, Read<ClusterStatus>>();

  /** Undefined for a folder that holds no run. */
  async view(folder: string, name: string): Promise<RunView | undefined> {
    const read = await current(this.#views, folder, () => readRun(folder, name));
    const [oldest] = this.#views.keys();
    if (this.#views.size > MOST_VIEWS) this.#views.delete(oldest!);
    return read?.content;
  }

  /** Where it stands, without its history; undefined for a folder that holds no run. */
  async status(folder: string, name: string): Promise<Read<ClusterStatus> | undefined> {
    return current(this.#statuses, folder, () => readStatus(folder, name));
  }
}

/** What is known of a folder, read first if it changed since. */
async function current<T>(
  known: Map<string, Read<T>>,
  folder: string,
  read: () => Promise<T | undefined>,
): Promise<Read<T> | undefined> {
  const changedMs = await lastChangeMs(folder);
  const before = known.get(folder);
  known.delete(folder);
  if (changedMs === undefined) return undefined;
  const content = before?.changedMs === changedMs ? before.content : await read();
  if (content === undefined) return undefined;
  const now = { changedMs, content };
  known.set(folder, now);
  return now;
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
    return this.#isRun(name) ? this.#folders.view(join(this.#parent, name), name) : undefined;
  }

  /** All of them, the newest first. */
  async list(): Promise<RunListing[]> {
    const names = (await readdir(this.#parent).catch(() => [])).filter((name) => this.#isRun(name));
    const statuses = await Promise.all(names.map((name) => this.#folders.status(join(this.#parent, name), name)));
    return statuses
      .filter((read) => read !== undefined)
      .sort((a, b) => b.changedMs - a.changedMs)
      .map(({ content }) => listingOf(content));
  }

  #isRun(name: string): boolean {
    return name !== this.#live && name !== "." && name !== ".." && !/[/\\\0]/.test(name);
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
    const named = [...this.#folderOf];
    const statuses = await Promise.all(named.map(([name, folder]) => this.#folders.status(folder, name)));
    return statuses.filter((read) => read !== undefined).map(({ content }) => listingOf(content));
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

function listingOf(status: ClusterStatus): RunListing {
  return { run: status.run, live: false, status };
}
