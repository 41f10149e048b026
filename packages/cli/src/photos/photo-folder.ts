/** The photos of a folder that can be evaluated: all are looked at before the first is computed. */
import { join } from "node:path";
import { type BadImage, badImage, badImagesError, InputError, listImages, readImageSize } from "@mzsr/mzsr";

/** SSIM's window must fit into what shaving leaves. */
const SMALLEST_RESULT = 32;

/** The size that photos must have. */
export interface LeastSize {
  /** Pixels. */
  readonly side: number;
  /** What smaller ones are too small for, behind "too small to". */
  readonly use: string;
}

/** For photos that are degraded, enlarged by a scale again, and compared with themselves. */
export function sizeToCompare(scale: number): LeastSize {
  return { side: SMALLEST_RESULT * scale, use: `degrade, enlarge ×${scale} and compare` };
}

export interface PhotoFolder {
  /** Names of those that look usable, from their headers. */
  readonly names: readonly string[];
  /** Those that were left out. */
  readonly bad: readonly BadImage[];
}

/**
 * @param skipBad leave out what cannot be used
 * @throws InputError when there is no such folder, no image in it, none that can be used, or, listing all of them, one
 *   that cannot and must not be left out
 */
export async function photosIn(folder: string, least: LeastSize, skipBad: boolean): Promise<PhotoFolder> {
  const all = await listImages(folder);
  const names: string[] = [];
  const bad: BadImage[] = [];
  for (const name of all) {
    const path = join(folder, name);
    try {
      checkSize(await readImageSize(path), least, path);
      names.push(name);
    } catch (thrown) {
      bad.push(badImage(path, thrown));
    }
  }
  if (bad.length > 0 && (!skipBad || names.length === 0)) throw badImagesError(bad, all.length, folder);
  return { names, bad };
}

function checkSize(size: { height: number; width: number }, { side, use }: LeastSize, where: string): void {
  if (Math.min(size.height, size.width) >= side) return;
  const pixels = `${size.width}×${size.height} pixels`;
  throw new InputError(`${pixels} are too small to ${use}; at least ${side} a side are needed`, { where });
}
