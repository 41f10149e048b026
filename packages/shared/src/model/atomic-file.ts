import { open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file's name, the process that was writing it, and a mark. */
const UNFINISHED = /^(.+)\.\d+\.tmp$/;

/**
 * Writes a file so that it is whole or absent whatever happens: a temporary file beside it, synced, then renamed, then
 * the folder synced, so that the name survives a power cut too. An error leaves the old file, if any, as it was.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  await syncFolder(dirname(path));
}

/**
 * Removes what writers that were killed left half-written of the files that `isOurs` knows by name. For who alone writes
 * those files, and is not writing now: whether a process lives says little where all have the same number, as in
 * containers.
 */
export async function removeUnfinished(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return [];
    throw thrown;
  });
  for (const name of names) {
    const wanted = UNFINISHED.exec(name)?.[1];
    if (wanted !== undefined && isOurs(wanted)) await rm(join(folder, name), { force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
