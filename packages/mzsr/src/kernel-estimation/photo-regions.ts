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

/**
 * Of nine regions that overlap by half, each half as high and wide as the photo, those that have structure; none where they would
 * be too small.
 *
 * @param photo of one channel
 */
export function* photoRegions(photo: Image): Generator<Image> {
  const [height, width] = [Math.floor(photo.height / 2), Math.floor(photo.width / 2)];
  if (Math.min(height, width) < SMALLEST_SIDE) return;
  const least = LEAST_ENERGY * gradientEnergy(photo);
  for (const down of STARTS) {
    for (const along of STARTS) {
      const [y, x] = [Math.floor(down * photo.height), Math.floor(along * photo.width)];
      const region = mostStructured(cropImage(photo, y, x, height, width));
      if (gradientEnergy(region) >= least) yield region;
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

/** Mean squared difference to the pixel below plus that to the pixel on the right. */
function gradientEnergy({ height, width, data }: Image): number {
  let sum = 0;
  for (let y = 1; y < height; y++) {
    for (let i = (y - 1) * width; i < y * width - 1; i++) {
      sum += (data[i + width]! - data[i]!) ** 2 + (data[i + 1]! - data[i]!) ** 2;
    }
  }
  return sum / ((height - 1) * (width - 1));
}
