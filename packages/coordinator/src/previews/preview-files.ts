/** A run's `previews` folder: previews.json, and PNGs that are named by their content, so that none ever changes. */
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { encodePng, type Image, removeUnfinished, writeFileAtomically } from "@mzsr/mzsr";
import type { PreviewEntry, PreviewImage } from "@mzsr/shared";
import { PREVIEW } from "../run/run-contents.js";

/** Entries that a picture keeps; beyond, every second of the older half goes. */
const MOST_ENTRIES = 40;

/** The pictures that a folder lists; none when there is no list, or none that can be read. */
export async function readPreviews(folder: string): Promise<PreviewImage[]> {
  const text = await readFile(listIn(folder), "utf8").catch(() => "[]");
  try {
    return JSON.parse(text) as PreviewImage[];
  } catch {
    return [];
  }
}

/** Whether every picture has an entry of this step, with all of its files. */
export async function hasPreview(folder: string, step: number): Promise<boolean> {
  const images = await readPreviews(folder);
  const newest = images.map(({ entries }) => entries.at(-1));
  if (newest.length === 0 || newest.some((entry) => entry?.step !== step)) return false;
  const files = newest.flatMap((entry) => (entry === undefined ? [] : Object.values(entry.files)));
  const stand = files.map((file) =>
    access(join(folder, file)).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(stand)).every(Boolean);
}

/** Removes what a coordinator that was killed left half-written. */
export async function tidyPreviews(folder: string): Promise<void> {
  await removeUnfinished(folder, (name) => join(folder, name) === listIn(folder) || PREVIEW.test(name));
}

export async function writePreviews(folder: string, images: readonly PreviewImage[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFileAtomically(listIn(folder), Buffer.from(`${JSON.stringify(images)}\n`));
}

/** Writes a picture and returns its file's name. */
export async function writePicture(folder: string, about: string, image: Image): Promise<string> {
  const bytes = await encodePng(image);
  const file = `${about}-${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}.png`;
  await mkdir(folder, { recursive: true });
  await writeFileAtomically(join(folder, file), bytes);
  return file;
}

/** Adds an entry, in place of those of its step or later (a resumed run makes them again), and thins what is old. */
export function withEntry(entries: readonly PreviewEntry[], entry: PreviewEntry): PreviewEntry[] {
  const all = [...entries.filter(({ step }) => step < entry.step), entry];
  if (all.length <= MOST_ENTRIES) return all;
  return all.filter((_, at) => at % 2 === 0 || at >= MOST_ENTRIES / 2);
}

/** Deletes the adapted pictures that `after` no longer names; whatever a list says, nothing but a preview's picture. */
export async function removeForgotten(
  folder: string,
  before: readonly PreviewEntry[],
  after: readonly PreviewEntry[],
): Promise<void> {
  const kept = new Set(after.flatMap(({ files }) => Object.values(files)));
  const forgotten = before
    .flatMap(({ files }) => Object.values(files))
    .filter((file) => !kept.has(file) && PREVIEW.test(file));
  for (const file of new Set(forgotten)) await rm(join(folder, file), { force: true });
}

function listIn(folder: string): string {
  return join(folder, "previews.json");
}
