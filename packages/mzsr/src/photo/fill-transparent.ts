/**
 * Colours under transparent pixels are whatever the program that made the file left there, often black. A network that sees them
 * draws them into what is visible: a halo. So they are replaced by the colours around them, weighted by alpha (premultiplied).
 */
import { createImage, type Image } from "../imaging/image.js";

/** From this alpha on a colour counts as it is; below, fading. What is seen less than this says little of its own. */
const TRUSTED_ALPHA = 1 / 8;

/**
 * @param colour [h, w, 3], not multiplied by alpha
 * @param alpha [h, w, 1]
 * @returns the colours as they are where they are seen, and a smooth continuation where they are not
 */
export function fillTransparent(colour: Image, alpha: Image): Image {
  if (alpha.data.every((value) => value >= TRUSTED_ALPHA)) return colour;
  return {
    ...colour,
    data: filled({ height: colour.height, width: colour.width, colour: colour.data, alpha: alpha.data }),
  };
}

interface Level {
  readonly height: number;
  readonly width: number;
  readonly colour: Float32Array;
  readonly alpha: Float32Array;
}

/** Each level continues what it lacks with the level of half its size (pull and push). */
function filled(level: Level): Float32Array {
  const { height, width, colour, alpha } = level;
  if (height * width === 1) return colour;
  const coarse = halved(level);
  const around = filled(coarse);
  const result = new Float32Array(colour.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [at, below] = [y * width + x, (y >> 1) * coarse.width + (x >> 1)];
      const own = Math.min(1, alpha[at]! / TRUSTED_ALPHA);
      for (let c = 0; c < 3; c++) result[3 * at + c] = own * colour[3 * at + c]! + (1 - own) * around[3 * below + c]!;
    }
  }
  return result;
}

/** Means over 2×2 pixels: of the colours weighted by alpha, and of alpha. */
function halved({ height, width, colour, alpha }: Level): Level {
  const half = createImage(Math.ceil(height / 2), Math.ceil(width / 2), 3);
  const weights = new Float32Array(half.height * half.width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [at, below] = [y * width + x, (y >> 1) * half.width + (x >> 1)];
      weights[below]! += alpha[at]!;
      for (let c = 0; c < 3; c++) half.data[3 * below + c]! += alpha[at]! * colour[3 * at + c]!;
    }
  }
  for (let i = 0; i < half.data.length; i++) {
    const weight = weights[Math.floor(i / 3)]!;
    half.data[i] = weight > 0 ? half.data[i]! / weight : 0;
  }
  // The weight of a place: any pixel that is seen makes its colour known.
  return {
    height: half.height,
    width: half.width,
    colour: half.data,
    alpha: weights.map((weight) => Math.min(1, weight)),
  };
}
