import { dirname, join } from "node:path";
import { listImages } from "@mzsr/mzsr";
import type { Configuration } from "@mzsr/shared";
import { trainingPhotos } from "../photos/embedded-photos.js";

/**
 * The training images that a configuration means.
 * @throws InputError when the folder is missing or has no image
 */
export async function imagePaths({ data }: Pick<Configuration, "data">): Promise<string[]> {
  if (data === "embedded") return trainingPhotos().map((photo) => photo.path);
  return (await listImages(data)).map((name) => join(data, name));
}

/** The folders of images, each once. */
export function foldersOf(paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => dirname(path)))];
}
