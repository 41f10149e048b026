/**
 * A new run in the place of an old one. The old run is moved into a folder inside its own, and deleted when the new one has
 * begun; whatever happens before that, it comes back. The moves are within one folder, so that each is whole or undone.
 *
 * Where a process is killed in between, metrics.jsonl tells: it is the last thing that a new run makes.
 */
import { copyFile, mkdir, readdir, rename, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { ASIDE, foreignEntries, removeAside, replacedEntries } from "./run-contents.js";
import { runFolderState } from "./run-marker.js";

const CONFIGURATION = "config.yaml";
const METRICS = "metrics.jsonl";
const MOST_NAMED = 3;

/** @throws InputError, which names what is in the way, when a folder is not wholly a run's */
export async function checkReplaceable(folder: string): Promise<void> {
  const state = await runFolderState(folder);
  if (state === "unmarked run") {
    throw new InputError("--fresh deletes only runs that are marked as such, and this one has no .mzsr-run", {
      where: folder,
      expected: "--resume, which marks it, another --run, or the folder deleted by hand",
    });
  }
  if (state !== "marked") return;
  const foreign = await foreignEntries(folder);
  if (foreign.length === 0) return;
  const more = foreign.length > MOST_NAMED ? ` and ${foreign.length - MOST_NAMED} more` : "";
  throw new InputError(`--fresh deletes only what a run wrote, not ${foreign.slice(0, MOST_NAMED).join(", ")}${more}`, {
    where: folder,
    expected: "these moved elsewhere, or another --run",
  });
}

/** Moves the run out of the way. @throws what moving does, the run as it was */
export async function setAside(folder: string): Promise<void> {
  await mkdir(join(folder, ASIDE), { recursive: true });
  try {
    for (const name of await replacedEntries(folder)) {
      // A run folder is known by its configuration: this one stays until the new one takes its place.
      if (name !== CONFIGURATION) await rename(join(folder, name), join(folder, ASIDE, name));
    }
    await copyFile(join(folder, CONFIGURATION), join(folder, ASIDE, CONFIGURATION)).catch(ignoreMissing);
  } catch (thrown) {
    await restore(folder);
    throw thrown;
  }
}

/** Brings back the run that was set aside, in the place of what a new one wrote. @throws once all was tried */
export async function restore(folder: string): Promise<void> {
  const aside = join(folder, ASIDE);
  const moves = (await readdir(aside)).map((name) => rename(join(aside, name), join(folder, name)));
  const failed = (await Promise.allSettled(moves)).find((move) => move.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  await rmdir(aside);
}

/** Ends what a process that was killed in a fresh start left: the old run comes back unless the new one had begun. */
export async function recover(folder: string): Promise<void> {
  const aside = join(folder, ASIDE);
  if (!(await exists(aside))) return;
  const begun = (await exists(join(folder, METRICS))) && (await exists(join(aside, METRICS)));
  if (begun) await removeAside(folder);
  else await restore(folder);
}

function ignoreMissing(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== "ENOENT") throw thrown;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
