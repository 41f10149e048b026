/** coordinator.json in a run folder: where the coordinator that works on it listens, for other commands on this machine. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "@mzsr/mzsr";

export interface Announcement {
  /** host:port for workers. */
  readonly grpc: string;
  /** URL of the page. */
  readonly http: string;
  readonly pid: number;
}

const fileIn = (runFolder: string) => join(runFolder, "coordinator.json");

export async function announce(runFolder: string, announcement: Announcement): Promise<void> {
  await writeFileAtomically(fileIn(runFolder), Buffer.from(`${JSON.stringify(announcement)}\n`));
}

export async function withdraw(runFolder: string): Promise<void> {
  await rm(fileIn(runFolder), { force: true });
}

/** The announcement in a run folder, if its process is alive. */
export async function readAnnouncement(runFolder: string): Promise<Announcement | undefined> {
  try {
    const announcement = JSON.parse(await readFile(fileIn(runFolder), "utf8")) as Announcement;
    process.kill(announcement.pid, 0);
    return announcement;
  } catch {
    return undefined;
  }
}
