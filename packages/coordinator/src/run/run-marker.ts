/** The mark by which a run folder is known. It is the first thing that is written into it, here and nowhere else. */
import { lstat, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError, reasonOf, writeFileAtomically } from "@mzsr/mzsr";
import { loadConfiguration } from "@mzsr/shared";
import { LOST_AND_FOUND, MARKER } from "./run-contents.js";

/** What the marker says. */
const FORMAT = "mzsr-run-1";
/** A marker that was being written. */
const UNFINISHED_MARKER = /^\.mzsr-run\.\d+\.tmp$/;
const CHECKPOINT = /^step-\d{8,}\.safetensors/;

export type RunFolderState = "absent" | "empty" | "marked" | "unmarked run" | "foreign";

/**
 * What a folder is. A run from before there were markers is known by a checkpoint, or by a configuration of ours beside its
 * metrics.
 * @throws InputError when it cannot be read, or is a run of another format
 */
export async function runFolderState(folder: string): Promise<RunFolderState> {
  const entries = await entriesOf(folder);
  if (entries === undefined) return "absent";
  if (await isMarked(folder)) return "marked";
  if (entries.every((name) => name === LOST_AND_FOUND || UNFINISHED_MARKER.test(name))) return "empty";
  return (await looksLikeRun(folder, entries)) ? "unmarked run" : "foreign";
}

/**
 * Makes the folder if need be and marks it as a run's. A run from before there were markers gets its mark here.
 * @throws InputError when there is something else in it, or it cannot be made
 */
export async function claimRunFolder(folder: string): Promise<void> {
  const state = await runFolderState(folder);
  if (state === "marked") return;
  if (state === "foreign") throw foreignFolder(folder);
  try {
    await mkdir(folder, { recursive: true });
    await writeFileAtomically(join(folder, MARKER), Buffer.from(`${FORMAT}\n`));
  } catch (thrown) {
    throw new InputError(`the run folder cannot be made (${reasonOf(thrown)})`, {
      where: folder,
      expected: "a folder that is writable",
    });
  }
}

/** Takes the mark away again where nothing else was written; a folder that another coordinator took meanwhile keeps it. */
export async function unclaimRunFolder(folder: string): Promise<void> {
  const others = (await entriesOf(folder))?.filter((name) => name !== MARKER && name !== LOST_AND_FOUND);
  if (others?.length === 0) await rm(join(folder, MARKER), { force: true });
}

export function foreignFolder(folder: string): InputError {
  return new InputError("the folder is not empty and holds no run", { where: folder, expected: "another --run" });
}

async function isMarked(folder: string): Promise<boolean> {
  const path = join(folder, MARKER);
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || !found.isFile() || found.size > 1000) return false;
  const format = (await readFile(path, "utf8").catch(() => "")).trim();
  if (format === FORMAT) return true;
  throw new InputError(`a run folder of the format ${JSON.stringify(format)}`, {
    where: path,
    expected: `${FORMAT}; another version of mzsr made it`,
  });
}

async function looksLikeRun(folder: string, entries: readonly string[]): Promise<boolean> {
  const checkpoints = await readdir(join(folder, "checkpoints")).catch(() => []);
  if (checkpoints.some((name) => CHECKPOINT.test(name))) return true;
  if (!entries.includes("metrics.jsonl") || !entries.includes("config.yaml")) return false;
  return loadConfiguration({ file: join(folder, "config.yaml") }).then(
    () => true,
    () => false,
  );
}

/** Undefined when there is no folder. */
async function entriesOf(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new InputError(`not usable as a run folder (${reasonOf(thrown)})`, { where: folder, expected: "a folder" });
  }
}
