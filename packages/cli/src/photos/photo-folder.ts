/** The photos of a folder that can be evaluated: all are looked at before the first is computed. */
import { join } from "node:path";
import { type BadImage, badImage, badImagesError, InputError, listImages, readImageSize } from "@mzsr/mzsr";

/** SSIM's window must fit into what shaving leaves. */
const SMALLEST_RESULT = 32;

export interface PhotoFolder {
  /** Names of those that look usable, from their headers. */
  readonly names: readonly string[];
  /** Those that were left out. */
  readonly bad: readonly BadImage[];
}

/**
 * @param scale the photos are degraded and enlarged by
 * @param skipBad leave out what cannot be used
 * @throws InputError when there is no such folder, no image in it, none that can be used, or, listing all of them, one
 *   that cannot and must not be left out
 */
export async function photosIn(folder: string, scale: number, skipBad: boolean): Promise<PhotoFolder> {
  const all = await listImages(folder);
  const names: string[] = [];
  const bad: BadImage[] = [];
  for (const name of all) {
    const path = join(folder, name);
    try {
      checkSize(await readImageSize(path), scale, path);
      names.push(name);
    } catch (thrown) {
      bad.push(badImage(path, thrown));
    }
  }
  if (bad.length > 0 && (!skipBad || names.length === 0)) throw badImagesError(bad, all.length, folder);
  return { names, bad };
}

function checkSize({ height, width }: { height: number; width: number }, scale: number, where: string): void {
  if (Math.min(height, width) >= SMALLEST_RESULT * scale) return;
  throw new InputError(
    `${width}×${height} pixels are too few to degrade and compare; ×${scale} needs at least ${SMALLEST_RESULT * scale} a side`,
    { where },
  );
}
