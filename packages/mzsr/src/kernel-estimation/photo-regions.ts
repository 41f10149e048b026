/** Parts of a photo that are looked at by themselves. */
import { structuredCrops } from "../adaptation/structured-crops.js";
import { cropImage, type Image } from "../imaging/image.js";
import { WINDOW_SIDE } from "./window-power.js";

/** Smaller photos, or regions, show too little. */
export const SMALLEST_SIDE = WINDOW_SIDE + 16;

/** Where regions begin, as shares of the photo's sides; they are half as long. */
const STARTS = [0, 1 / 4, 1 / 2] as const;

/** Of a region with longer sides the square of this side with the most structure stands for it. */
const LARGEST_SIDE = 256;

/** A region with less of the photo's mean gradient energy than this, such as a sky, shows noise and the marks of JPEG. */
const LEAST_ENERGY = 1 / 4;

/** A region whose gradients agree more than this, of 1 for stripes, shows its blur across them alone. */
const MOST_COHERENCE = 0.45;

/**
 * Of nine regions that overlap by half, each half as high and wide as the photo, those with structure in more than one
 * direction; none where they would be too small.
 *
 * @param photo of one channel
 */
export function* photoRegions(photo: Image): Generator<Image> {
  const [height, width] = [Math.floor(photo.height / 2), Math.floor(photo.width / 2)];
  if (Math.min(height, width) < SMALLEST_SIDE) return;
  const least = LEAST_ENERGY * structureOf(photo).energy;
  for (const down of STARTS) {
    for (const along of STARTS) {
      const [y, x] = [Math.floor(down * photo.height), Math.floor(along * photo.width)];
      const region = mostStructured(cropImage(photo, y, x, height, width));
      const { energy, coherence } = structureOf(region);
      if (energy >= least && coherence <= MOST_COHERENCE) yield region;
    }
  }
}

function mostStructured(region: Image): Image {
  const [height, width] = [Math.min(region.height, LARGEST_SIDE), Math.min(region.width, LARGEST_SIDE)];
  if (height === region.height && width === region.width) return region;
  const side = Math.min(height, width);
  const [corner] = structuredCrops(region, side, 1);
  return cropImage(region, corner!.y, corner!.x, side, side);
}

/** Energy and coherence of a structure tensor. */
interface Structure {
  /** Mean squared length of the gradient. */
  readonly energy: number;
  /** From 0, where gradients point anywhere, to 1, where all are parallel: (μ1 − μ2) / (μ1 + μ2) of the tensor's eigenvalues. */
  readonly coherence: number;
}

/**
 * Of the mean outer product of an image's gradients (Bigün and Granlund, Optimal orientation detection of linear symmetry, ICCV
 * 1987), taken between four pixels, so that noise has no direction.
 */
function structureOf({ height, width, data }: Image): Structure {
  let [xx, yy, xy] = [0, 0, 0];
  for (let y = 1; y < height; y++) {
    for (let i = (y - 1) * width; i < y * width - 1; i++) {
      const [rising, falling] = [data[i + 1]! - data[i + width]!, data[i + width + 1]! - data[i]!];
      const [right, down] = [(falling + rising) / 2, (falling - rising) / 2];
      xx += right * right;
      yy += down * down;
      xy += right * down;
    }
  }
  const coherence = Math.hypot(xx - yy, 2 * xy) / (xx + yy);
  return { energy: (xx + yy) / ((height - 1) * (width - 1)), coherence };
}
