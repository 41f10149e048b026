import { createHash, randomInt } from "node:crypto";
import { link, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file's name, a number of the writer's own, and a mark. */
const UNFINISHED = /^(.+)\.\d+\.tmp$/;

/** Bytes of a name that can carry number and mark on every file system; of a longer one they carry a digest. */
const LONGEST_KEPT_NAME = 100;

/** What of a name stays in its temporary file's name, when it is kept short. */
const DIGEST_LETTERS = 16;

/** Codes with which file systems without hard links refuse one. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/**
 * Writes a file so that it is whole or absent whatever happens: a temporary file beside it, synced, then renamed, then
 * the folder synced, so that the name survives a power cut too. An error leaves the old file, if any, as it was.
 *
 * @param options.replace whether a file of that name gives way; if not, writing fails with the code EEXIST, and no
 *   file that comes between is lost either
 * @param options.mode permissions of the new file
 */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array,
  options: { readonly replace: boolean; readonly mode?: number } = { replace: true },
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "wx", options.mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (options.replace) await rename(temporary, path);
    else await moveToFreeName(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  await syncFolder(dirname(path));
}

/**
 * Makes the temporary file of `writeFileAtomically` and takes it away again: whether a file of this name can be written
 * there, found out before the work that gives its content.
 * @throws the operating system's error
 */
export async function probeWriting(path: string): Promise<void> {
  const temporary = temporaryName(path);
  const file = await open(temporary, "wx");
  await file.close();
  await rm(temporary);
}

/** In the same folder, of a length that every file system takes, never the same twice. */
function temporaryName(path: string): string {
  const name = basename(path);
  const digest = () => createHash("sha256").update(name).digest("hex").slice(0, DIGEST_LETTERS);
  const kept = Buffer.byteLength(name) <= LONGEST_KEPT_NAME ? name : digest();
  return join(dirname(path), `${kept}.${randomInt(2 ** 47)}.tmp`);
}

/** Renames unless there is a file of that name already; `rename` itself would replace it. */
async function moveToFreeName(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (thrown) {
    if (!NO_LINKS.includes((thrown as NodeJS.ErrnoException).code ?? "")) throw thrown;
    // Whoever makes the empty file has the name; it gives way to the whole one at once.
    await (await open(to, "wx")).close();
    await rename(from, to);
  }
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
