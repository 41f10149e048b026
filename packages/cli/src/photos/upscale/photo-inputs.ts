/** The photos that `mzsr upscale` is given: files, folders, patterns, standard input. */
import { readdir, stat } from "node:fs/promises";
import { dirname, join, parse, relative, resolve, sep } from "node:path";
import { InputError, isImageName, reasonOf } from "@mzsr/mzsr";

export interface PhotoInput {
  /** For people. */
  readonly name: string;
  /** Undefined for standard input. */
  readonly path?: string | undefined;
  /** The folder that it lies in, below the one that was named; empty for a photo that was named itself. */
  readonly under: string;
}

export interface PhotoInputs {
  readonly photos: readonly PhotoInput[];
  /** Whether they may be more than one: then each has its result in a folder, and one that fails does not stop the others. */
  readonly several: boolean;
  /** What was found and left out. */
  readonly notes: readonly string[];
}

export interface InputOptions {
  /** Also the folders in a folder. */
  readonly recursive: boolean;
  /** Results of this scale beside their photos are not taken for photos. */
  readonly scale: number;
  /** A folder whose content are results. */
  readonly results: string | undefined;
}

/** Stands for standard input, and for standard output. */
export const STANDARD_STREAM = "-";

const STANDARD_INPUT: PhotoInput = { name: "standard input", under: "" };

/**
 * Each photo once, in the order of the arguments, those of a folder by name.
 * @throws InputError for a folder without photos, or a pattern that none matches; a file that is missing is found when it is read
 */
export async function findPhotos(typed: readonly string[], options: InputOptions): Promise<PhotoInputs> {
  const found: PhotoInput[] = [];
  const notes: string[] = [];
  let several = typed.length > 1;
  for (const argument of typed) {
    const kind = await kindOf(argument);
    several ||= kind === "folder" || kind === "pattern";
    if (kind === "stream") found.push(STANDARD_INPUT);
    else if (kind === "file") found.push({ name: argument, path: argument, under: "" });
    else found.push(...(kind === "folder" ? await photosBelow(argument, options, notes) : await matching(argument)));
  }
  return { photos: withoutRepetition(found), several, notes };
}

async function kindOf(argument: string): Promise<"stream" | "file" | "folder" | "pattern"> {
  if (argument === STANDARD_STREAM) return "stream";
  const there = await stat(argument).catch(() => undefined);
  if (there?.isDirectory() === true) return "folder";
  if (there !== undefined) return "file";
  // A file may well be called [1].jpg: only a name that is none can be a pattern.
  return /[*?[{]/.test(argument) ? "pattern" : "file";
}

async function photosBelow(folder: string, options: InputOptions, notes: string[]): Promise<PhotoInput[]> {
  const photos: PhotoInput[] = [];
  for (const under of await foldersOf(folder, options)) {
    const names = (await entriesOf(join(folder, under)))
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name);
    const images = names.filter(isImageName).sort();
    const results = images.filter((name) => isResultBesidePhoto(name, images, options.scale));
    if (results.length > 0) notes.push(`${join(folder, under)}: results of earlier calls left out (${results.length})`);
    for (const name of images.filter((image) => !results.includes(image))) {
      const path = join(folder, under, name);
      photos.push({ name: path, path, under });
    }
  }
  if (photos.length > 0) return photos;
  const expected = options.recursive
    ? "a folder with images"
    : "a folder with images; --recursive looks into its folders too";
  throw new InputError("folder has no image", { where: folder, expected });
}

/** Those below a folder, by their path from it; the folder itself is the empty path. Links are not followed. */
async function foldersOf(folder: string, { recursive, results }: InputOptions): Promise<string[]> {
  const folders = [""];
  if (!recursive) return folders;
  const leftOut = results === undefined ? undefined : resolve(results);
  for (const under of folders) {
    for (const entry of await entriesOf(join(folder, under))) {
      const hidden = entry.name.startsWith(".");
      if (!entry.isDirectory() || hidden || resolve(folder, under, entry.name) === leftOut) continue;
      folders.push(join(under, entry.name));
    }
  }
  return folders.sort();
}

async function entriesOf(folder: string) {
  return readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new InputError(reasonOf(error), { where: folder, expected: "a folder with images" });
  });
}

/** `cat-x2.png` where there is a `cat.jpg` too. */
function isResultBesidePhoto(name: string, images: readonly string[], scale: number): boolean {
  const stem = parse(name).name;
  const suffix = resultSuffix(scale);
  return stem.endsWith(suffix) && images.some((other) => parse(other).name === stem.slice(0, -suffix.length));
}

/** What a result's name has after its photo's. */
export function resultSuffix(scale: number): string {
  return `-x${scale}`;
}

async function matching(pattern: string): Promise<PhotoInput[]> {
  const { glob } = await import("tinyglobby");
  const found = await glob(pattern.replaceAll(sep, "/"), { expandDirectories: false });
  const paths = found.filter((path) => isImageName(parse(path).base)).sort();
  if (paths.length === 0)
    throw new InputError("no image matches", { where: pattern, expected: "a file, a folder or a pattern" });
  const base = fixedFolder(pattern);
  return paths.map((path) => ({ name: path, path, under: relative(base, dirname(path)) }));
}

/** The folder that all that a pattern matches lies in. */
function fixedFolder(pattern: string): string {
  const parts = pattern.split(/[\\/]/);
  const first = parts.findIndex((part) => /[*?[{]/.test(part));
  return parts.slice(0, first).join("/") || (pattern.startsWith("/") ? "/" : ".");
}

function withoutRepetition(photos: readonly PhotoInput[]): PhotoInput[] {
  const byPlace = new Map<string, PhotoInput>();
  for (const photo of photos) {
    const place = photo.path === undefined ? STANDARD_STREAM : resolve(photo.path);
    if (!byPlace.has(place)) byPlace.set(place, photo);
  }
  return [...byPlace.values()];
}
