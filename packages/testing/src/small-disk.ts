import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished, type TestContext } from "vitest";

const run = promisify(execFile);

/**
 * A folder with little room, on a disk of its own. Skips the test, saying so, where this user may not mount one.
 * @param kibibytes room, a multiple of 4
 */
export async function smallDisk(context: TestContext, kibibytes: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-disk-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder]);
  } catch {
    await rm(folder, { recursive: true });
    context.skip("a small disk cannot be mounted here: needs root");
  }
  onTestFinished(async () => {
    await run("umount", [folder]);
    await rm(folder, { recursive: true });
  });
  return folder;
}
