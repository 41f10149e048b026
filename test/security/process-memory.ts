/** Memory of another process on Linux. */
import { readFile, writeFile } from "node:fs/promises";

/** Resident bytes of a process. */
export const residentBytes = (pid: number) => fieldOf(pid, "VmRSS");

/** The most resident bytes since `forgetPeak`. */
export const peakBytes = (pid: number) => fieldOf(pid, "VmHWM");

/** The peak counts from now on. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}

async function fieldOf(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
}
