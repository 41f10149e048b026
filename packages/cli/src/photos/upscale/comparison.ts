/** A picture of a photo enlarged by bicubic interpolation, and beside it as it was enlarged. */
import {
  createImage,
  cropImage,
  type Downsampling,
  type Image,
  type ImageFormat,
  interpolateInPlace,
  type Photo,
  structuredCrops,
} from "@mzsr/mzsr";

/** What such a picture says that it is, which `mzsr view` knows it by. */
export const COMPARISON = "mzsr comparison: bicubic | enlarged";

/** That browsers show, and that are read here. */
export const COMPARISON_FORMATS: readonly ImageFormat[] = ["png", "jpeg", "webp"];

/** Longest side of one half, in pixels: what is looked at closely is small. */
const LONGEST_SIDE = 2048;

/** Pixels around a part that interpolation needs of the rest. */
const MARGIN = 4;

export interface Comparison {
  /** Left bicubic, right the result; in sRGB. */
  readonly picture: Photo;
  /** In words, where it is not the whole photo. */
  readonly part: string | undefined;
}

/**
 * Both halves, pixel for pixel at the same place. Of a large photo the part with the most structure is shown.
 * @param result the photo enlarged by `scale`
 */
export function compared(
  photo: Photo,
  result: Photo,
  { scale, downsampling }: { readonly scale: number; readonly downsampling: Downsampling },
): Comparison {
  const window = windowOf(photo, Math.floor(LONGEST_SIDE / scale));
  const { x, y, width, height } = window;
  const halves = (from: Image, to: Image) => {
    const bicubic = interpolatedPart(from, window, scale, downsampling);
    return sideBySide(bicubic, cropImage(to, scale * y, scale * x, scale * height, scale * width));
  };
  const whole = width === photo.width && height === photo.height;
  return {
    picture: {
      ...halves(photo, result),
      grey: photo.grey,
      alpha: photo.alpha && result.alpha && halves(photo.alpha, result.alpha),
    },
    part: whole
      ? undefined
      : `${scale * width}×${scale * height} pixels of the result, from (${scale * x}, ${scale * y})`,
  };
}

interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The whole photo, or its most structured square. */
function windowOf(photo: Image, longest: number): Window {
  const { width, height } = photo;
  if (Math.max(width, height) <= longest) return { x: 0, y: 0, width, height };
  const side = Math.min(longest, width, height);
  const [corner] = structuredCrops(photo, side, 1);
  return { ...corner!, width: side, height: side };
}

function interpolatedPart(
  image: Image,
  { x, y, width, height }: Window,
  scale: number,
  downsampling: Downsampling,
): Image {
  const [left, top] = [Math.max(0, x - MARGIN), Math.max(0, y - MARGIN)];
  const [right, bottom] = [Math.min(image.width, x + width + MARGIN), Math.min(image.height, y + height + MARGIN)];
  const wider = interpolateInPlace(cropImage(image, top, left, bottom - top, right - left), scale, downsampling);
  return cropImage(wider, scale * (y - top), scale * (x - left), scale * height, scale * width);
}

function sideBySide(left: Image, right: Image): Image {
  const { height, width, channels } = left;
  const both = createImage(height, 2 * width, channels);
  const row = width * channels;
  for (let y = 0; y < height; y++) {
    both.data.set(left.data.subarray(y * row, (y + 1) * row), 2 * y * row);
    both.data.set(right.data.subarray(y * row, (y + 1) * row), (2 * y + 1) * row);
  }
  return both;
}
