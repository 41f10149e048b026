/** What an estimate looks at: numbers that a photo's blur changes and its motif hardly does. */
import type { Image } from "../imaging/image.js";
import { directionsPermuted, EDGE_FEATURES, edgeFeatures } from "./edge-features.js";
import { lumaOf } from "./luma.js";
import { SECTORS, SPECTRUM_FEATURES, sectorPermuted, spectrumFeatures } from "./spectrum-features.js";

export const FEATURES = SPECTRUM_FEATURES + EDGE_FEATURES;

/** Spectra, then edges, of an image of at least 32 pixels a side. */
export function blurFeatures(photo: Image): Float64Array {
  const plane = lumaOf(photo);
  const features = new Float64Array(FEATURES);
  features.set(spectrumFeatures(plane));
  features.set(edgeFeatures(plane), SPECTRUM_FEATURES);
  return features;
}

/** A flip or turn of a photo: how its features follow from the photo's own, and its kernel's components from the kernel's. */
export interface Symmetry {
  /** Feature i of the changed photo is feature order[i] of the photo. */
  readonly order: Int32Array;
  /** Whether the x and y axes are exchanged. */
  readonly exchanged: boolean;
  /** 1, or −1 where what leaned right leans left. */
  readonly lean: 1 | -1;
}

/** The identity, left for right, a quarter turn, and both: what lies along a line does not know its two ends apart. */
export const SYMMETRIES: readonly Symmetry[] = [
  symmetry((sector) => sector, [0, 1, 2, 3], false, 1),
  symmetry((sector) => (SECTORS - sector) % SECTORS, [0, 1, 3, 2], false, -1),
  symmetry((sector) => (sector + SECTORS / 2) % SECTORS, [1, 0, 3, 2], true, -1),
  symmetry((sector) => (SECTORS + SECTORS / 2 - sector) % SECTORS, [1, 0, 2, 3], true, 1),
];

function symmetry(
  sectorOf: (sector: number) => number,
  directionOf: readonly number[],
  exchanged: boolean,
  lean: 1 | -1,
): Symmetry {
  const order = new Int32Array(FEATURES);
  order.set(sectorPermuted(sectorOf));
  order.set(
    directionsPermuted(directionOf).map((i) => i + SPECTRUM_FEATURES),
    SPECTRUM_FEATURES,
  );
  return { order, exchanged, lean };
}
