/** Folders of photos that a benchmark measures on, and the models that it measures. */
import { existsSync } from "node:fs";
import { basename, dirname, join, parse, resolve } from "node:path";
import { type BadImage, InputError } from "@mzsr/mzsr";
import { photosIn, sizeToCompare } from "../photos/photo-folder.js";

export interface Dataset {
  readonly name: string;
  readonly photos: readonly { readonly image: string; readonly hr: string; readonly lr: string | undefined }[];
  /** Left out as the user wished. */
  readonly bad: readonly BadImage[];
}

/**
 * @param typed folders of HR images, each with `NAME=` before it where it shall have another name
 * @param low folders of their LR images, in the same order; none: they are made
 * @throws InputError when a folder has no usable image, or an HR image no LR image
 */
export async function findDatasets(
  typed: readonly string[],
  low: readonly string[] | undefined,
  options: { readonly scale: number; readonly skipBad: boolean },
): Promise<Dataset[]> {
  if (low !== undefined && low.length !== typed.length) {
    throw new InputError(`${low.length} for ${typed.length} of --images`, {
      where: "--lr",
      expected: "a folder of LR images for each folder of HR images",
    });
  }
  const named = withDistinctNames(typed.map((text) => nameAndPath(text, folderName)));
  return Promise.all(
    named.map(async ({ name, path }, i) => {
      const { names, bad } = await photosIn(path, sizeToCompare(options.scale), options.skipBad);
      const pairs = low === undefined ? new Map() : lowImages(low[i]!, names);
      const photos = names.map((image) => ({ image, hr: join(path, image), lr: pairs.get(image) }));
      return { name, photos, bad };
    }),
  );
}

/** By the name without its extension. @throws InputError, which lists those that are missing */
function lowImages(folder: string, names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of names) {
    const candidates = [".png", parse(name).ext].map((extension) => join(folder, `${parse(name).name}${extension}`));
    const there = candidates.find((candidate) => existsSync(candidate));
    if (there !== undefined) found.set(name, there);
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length === 0) return found;
  throw new InputError(`has no LR image for ${missing.join(", ")}`, {
    where: `--lr ${folder}`,
    expected: "a file of the same name for each HR image, as .png or with its extension",
  });
}

export interface Named {
  readonly name: string;
  readonly path: string;
}

/** `NAME=PATH`, or a path that says its own name. */
export function nameAndPath(typed: string, nameOf: (path: string) => string): Named {
  const [, name, path] = /^([^=/\\]+)=(.+)$/s.exec(typed) ?? [];
  if (name === undefined || existsSync(typed)) return { name: nameOf(typed), path: typed };
  return { name, path: path! };
}

/** A folder called `hr` is named after the one that it lies in, as `set5/hr`. */
function folderName(path: string): string {
  const whole = resolve(path);
  return /^hr$/i.test(basename(whole)) ? basename(dirname(whole)) : basename(whole);
}

/** A model in a run's folder is named after the run. */
export function modelName(path: string): string {
  const { name, base, dir } = parse(resolve(path));
  return base === "model.safetensors" ? basename(dir) : base.endsWith(".safetensors") ? name : base;
}

/** Those of one name are told apart by a number. */
export function withDistinctNames(all: readonly Named[]): Named[] {
  return all.map(({ name, path }, i) => {
    const before = all.slice(0, i).filter((other) => other.name === name).length;
    return { name: before === 0 ? name : `${name} (${before + 1})`, path };
  });
}
