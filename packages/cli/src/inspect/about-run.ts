/** about.json in a run folder: what a person wrote of the run. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "@mzsr/mzsr";

export interface AboutRun {
  readonly note: string;
  /** In alphabetical order. */
  readonly tags: readonly string[];
}

export interface AboutChanges {
  /** Replaces the note; an empty one takes it away. */
  readonly note?: string | undefined;
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

const NOTHING: AboutRun = { note: "", tags: [] };
const fileIn = (runFolder: string) => join(runFolder, "about.json");

/** What was written of a run; nothing for one without, or whose file cannot be read. */
export async function readAbout(runFolder: string): Promise<AboutRun> {
  try {
    const { note, tags } = JSON.parse(await readFile(fileIn(runFolder), "utf8")) as Partial<AboutRun>;
    return {
      note: typeof note === "string" ? note : "",
      tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [],
    };
  } catch {
    return NOTHING;
  }
}

export function changedAbout(about: AboutRun, { note, add, remove }: AboutChanges): AboutRun {
  const tags = new Set([...about.tags, ...add]);
  for (const tag of remove) tags.delete(tag);
  return { note: (note ?? about.note).trim(), tags: [...tags].sort() };
}

/** Writes it whole, or takes the file away where there is nothing to say. */
export async function writeAbout(runFolder: string, about: AboutRun): Promise<void> {
  if (about.note === "" && about.tags.length === 0) return rm(fileIn(runFolder), { force: true });
  await writeFileAtomically(fileIn(runFolder), Buffer.from(`${JSON.stringify(about)}\n`));
}
