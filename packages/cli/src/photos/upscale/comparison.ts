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
 * Collects what is shown of a photo and of its result, which comes in bands. Both halves lie pixel for pixel at the same place. Of a
 * large photo the part with the most structure is shown.
 */
export class Comparing {
  readonly #photo: Photo;
  readonly #options: { readonly scale: number; readonly downsampling: Downsampling };
  readonly #window: Window;
  readonly #colours: Image;
  readonly #alpha: Image | undefined;

  /** @param options of the enlargement */
  constructor(photo: Photo, options: { readonly scale: number; readonly downsampling: Downsampling }) {
    const { scale } = options;
    this.#photo = photo;
    this.#options = options;
    this.#window = windowOf(photo, Math.floor(LONGEST_SIDE / scale));
    const { width, height } = this.#window;
    this.#colours = createImage(scale * height, scale * width, photo.channels);
    this.#alpha = photo.alpha && createImage(scale * height, scale * width, 1);
  }

  /** Rows of the result, and where they begin in it. */
  add(top: number, band: Photo): void {
    this.#take(top, band, this.#colours);
    if (this.#alpha !== undefined && band.alpha !== undefined) this.#take(top, band.alpha, this.#alpha);
  }

  #take(top: number, band: Image, shown: Image): void {
    const { scale } = this.#options;
    const [first, left] = [scale * this.#window.y, scale * this.#window.x];
    const from = Math.max(top, first);
    const to = Math.min(top + band.height, first + shown.height);
    for (let y = from; y < to; y++) {
      const start = ((y - top) * band.width + left) * band.channels;
      shown.data.set(
        band.data.subarray(start, start + shown.width * shown.channels),
        (y - first) * shown.width * shown.channels,
      );
    }
  }

  /** When all of the result has come. */
  compared(): Comparison {
    const { scale, downsampling } = this.#options;
    const { x, y, width, height } = this.#window;
    const { alpha, grey } = this.#photo;
    const halves = (from: Image, to: Image) =>
      sideBySide(interpolatedPart(from, this.#window, scale, downsampling), to);
    const whole = width === this.#photo.width && height === this.#photo.height;
    return {
      picture: {
        ...halves(this.#photo, this.#colours),
        grey,
        alpha: alpha && this.#alpha && halves(alpha, this.#alpha),
      },
      part: whole
        ? undefined
        : `${scale * width}×${scale * height} pixels of the result, from (${scale * x}, ${scale * y})`,
    };
  }
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
