/**
 * What a run writes into its folder, by name: what may be deleted with a run. Everything else is somebody else's, and so is
 * a link, whatever its name: a run makes none, and what it leads to may lie anywhere.
 */
import type { Dirent } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

/** Names the format of a run folder; only folders that have it are ever deleted. */
export const MARKER = ".mzsr-run";
/** What a fresh start takes out of the way, until the new run has begun. */
export const ASIDE = ".mzsr-old";

/** Made by file systems in their own root. */
export const LOST_AND_FOUND = "lost+found";

interface Contents {
  readonly files: RegExp;
  readonly folders: Readonly<Record<string, Contents>>;
}

/** What `writeFileAtomically` leaves of a file when the process is killed … */
const UNFINISHED = String.raw`(\.\d+\.tmp)?`;
/** … and of one with a long name, such as a photo's may give it. */
const UNFINISHED_LONG = String.raw`[0-9a-f]{16}\.\d+\.tmp`;
const UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const folderOf = (files: RegExp): Contents => ({ files, folders: {} });

/** A picture's file in `previews`, named by its photo, what it shows, and its content. */
export const PREVIEW = /^[^/\\]+-(lr|hr|bicubic|step-\d+)-[0-9a-f]{8}\.png$/;
const PREVIEWS = folderOf(
  new RegExp(
    String.raw`^((previews\.json|[^/\\]+-(lr|hr|bicubic|step-\d+)-[0-9a-f]{8}\.png)${UNFINISHED}|${UNFINISHED_LONG})$`,
  ),
);
const REPORT = folderOf(
  new RegExp(
    String.raw`^(report\.html|results\.json|(\.[^/\\]+-|[^/\\.][^/\\]*-)(lr|hr|bicubic|before-adaptation|after-\d+)(-detail)?\.png${UNFINISHED}|${UNFINISHED_LONG})$`,
  ),
);

const RUN: Contents = {
  files: new RegExp(
    String.raw`^((\.mzsr-run|config\.yaml|about\.json|model(-best)?\.safetensors|coordinator\.json)${UNFINISHED}|metrics\.jsonl|events\.jsonl|lock(\.dead)?(\.${UUID})?)$`,
  ),
  folders: {
    checkpoints: folderOf(new RegExp(String.raw`^step-\d{8,}\.safetensors(\.broken)?${UNFINISHED}$`)),
    validation: folderOf(new RegExp(String.raw`^step-\d{8,}\.safetensors${UNFINISHED}$`)),
    previews: PREVIEWS,
    tensorboard: folderOf(/^events\.out\.tfevents\.\d{10}\.\d{3}\.mzsr$/),
    logs: folderOf(/^(coordinator|worker-\d+)\.log$/),
    report: REPORT,
    "report.partial": REPORT,
  },
};

const WITH_OLD: Contents = { ...RUN, folders: { ...RUN.folders, [ASIDE]: RUN } };

/** Paths inside a run folder that no run wrote, relative to it; empty when all of it is a run's. */
export async function foreignEntries(folder: string): Promise<string[]> {
  return (await foreignIn(folder, WITH_OLD)).filter((name) => name !== LOST_AND_FOUND);
}

/** Entries that a fresh start takes out of the way: all of the run but its marker and its lock. */
export async function replacedEntries(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name !== ASIDE && name !== LOST_AND_FOUND && !/^(\.mzsr-run|lock)/.test(name));
}

/** Deletes the run that was set aside. */
export async function removeAside(folder: string): Promise<void> {
  await removeFolder(join(folder, ASIDE), RUN);
}

/** Deletes what a run wrote but its mark and its lock; with `all` these too, and the folder if that leaves it empty. */
export async function removeContents(folder: string, all = false): Promise<void> {
  if (all) return removeFolder(folder, WITH_OLD);
  for (const entry of await entriesOf(folder)) {
    if (/^(\.mzsr-run|lock)/.test(entry.name)) continue;
    const inner = folderNamed(entry, WITH_OLD);
    if (inner !== undefined) await removeFolder(join(folder, entry.name), inner);
    else if (isOwnFile(entry, WITH_OLD)) await rm(join(folder, entry.name), { force: true });
  }
}

/** Deletes a report, and its folder if that leaves it empty. Whatever else is there stays. */
export async function removeReport(folder: string): Promise<void> {
  await removeFolder(folder, REPORT);
}

async function foreignIn(folder: string, contents: Contents): Promise<string[]> {
  const foreign: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const inner = folderNamed(entry, contents);
    if (inner !== undefined) {
      foreign.push(...(await foreignIn(join(folder, entry.name), inner)).map((name) => join(entry.name, name)));
    } else if (!isOwnFile(entry, contents)) foreign.push(entry.name);
  }
  return foreign.sort();
}

async function removeFolder(folder: string, contents: Contents): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    const inner = folderNamed(entry, contents);
    if (inner !== undefined) await removeFolder(path, inner);
    else if (isOwnFile(entry, contents)) await rm(path, { force: true });
  }
  await rmdir(folder).catch((thrown: NodeJS.ErrnoException) => {
    // Not empty: on Linux ENOTEMPTY, elsewhere EEXIST.
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(thrown.code ?? "")) throw thrown;
  });
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return [];
    throw thrown;
  });
}

function folderNamed(entry: Dirent, { folders }: Contents): Contents | undefined {
  return entry.isDirectory() && Object.hasOwn(folders, entry.name) ? folders[entry.name] : undefined;
}

function isOwnFile(entry: Dirent, { files }: Contents): boolean {
  return entry.isFile() && files.test(entry.name);
}
