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

/** Nine regions, each half as high and wide as the photo, that overlap by half; none where they would be too small. */
export function* photoRegions(photo: Image): Generator<Image> {
  const [height, width] = [Math.floor(photo.height / 2), Math.floor(photo.width / 2)];
  if (Math.min(height, width) < SMALLEST_SIDE) return;
  for (const down of STARTS) {
    for (const along of STARTS) {
      const region = cropImage(photo, Math.floor(down * photo.height), Math.floor(along * photo.width), height, width);
      yield mostStructured(region);
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
