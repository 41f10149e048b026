/** The full disk: what the coordinator must say, keep and do. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SmallDisk } from "./disk.js";
import { fileSha256 } from "./records.js";

const PERIOD_MS = 100;
const PATIENCE_MS = 60_000;
const COMPLAINT = "could not be written";

export interface DiskFault {
  readonly disk: SmallDisk;
  readonly runFolder: string;
  /** What the coordinator prints. */
  readonly log: string;
  readonly signal: AbortSignal;
}

/**
 * Fills the disk until the coordinator has failed to write a checkpoint, frees it, and waits for the next checkpoint.
 * @returns what it did wrong, one sentence each
 */
export async function fillDisk({ disk, runFolder, log, signal }: DiskFault): Promise<string[]> {
  const checkpoints = join(runFolder, "checkpoints");
  const newest = async () => {
    const names = await readdir(checkpoints).catch(() => []);
    return names
      .filter((name) => name.endsWith(".safetensors"))
      .sort()
      .at(-1);
  };
  const problems: string[] = [];
  const said = (await readFile(log)).length;
  await disk.fill();
  const kept = await newest();
  const before = kept && (await fileSha256(join(checkpoints, kept)));
  const complains = async () => (await readFile(log)).subarray(said).includes(COMPLAINT);
  if (!(await waitFor(complains, signal))) problems.push("the coordinator did not say that a checkpoint found no room");
  if (kept && (await fileSha256(join(checkpoints, kept))) !== before) {
    problems.push(`the full disk changed the newest checkpoint, ${kept}`);
  }
  await disk.free();
  const newer = async () => ((await newest()) ?? "") > (kept ?? "");
  if (!(await waitFor(newer, signal))) problems.push("no checkpoint was written after the disk was free again");
  return problems;
}

/** False when it does not come true in time. */
async function waitFor(condition: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  for (
    const deadline = Date.now() + PATIENCE_MS;
    Date.now() < deadline;
    await delay(PERIOD_MS, undefined, { signal })
  ) {
    if (await condition()) return true;
  }
  return false;
}
