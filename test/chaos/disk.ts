/** A disk that can be filled: a small tmpfs of its own, with a ballast file. */
import { execFile } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const CHUNK_BYTES = 1 << 20;
/** What is left when a whole chunk finds no room is filled page by page. */
const PAGE_BYTES = 4096;

export interface SmallDisk {
  /** Uses up all the room. */
  fill(): Promise<void>;
  /** Gives the room back. */
  free(): Promise<void>;
  /** Takes the disk away, with everything on it. */
  unmount(): Promise<void>;
}

/** Mounts a disk at `folder`. Undefined where this user may not. */
export async function mountSmallDisk(folder: string, mebibytes: number): Promise<SmallDisk | undefined> {
  await mkdir(folder, { recursive: true });
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder]);
  } catch {
    return undefined;
  }
  const ballast = join(folder, "ballast");
  return {
    fill: () => fillUp(ballast),
    free: () => rm(ballast, { force: true }),
    unmount: () => run("umount", [folder]).then(() => undefined),
  };
}

async function fillUp(path: string): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const bytes of [CHUNK_BYTES, PAGE_BYTES]) await writeUntilFull(() => file.write(Buffer.alloc(bytes)));
  } finally {
    await file.close();
  }
}

async function writeUntilFull(write: () => Promise<unknown>): Promise<void> {
  try {
    for (;;) await write();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOSPC") throw thrown;
  }
}
