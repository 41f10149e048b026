/**
 * Which patches of a photograph are worth learning from: those of a regular grid that have structure.
 *
 * Structure is the mean squared difference to the pixel below plus that to the pixel on the right, as in the public
 * reference of the paper; a patch stays when its logarithm is at least −6.
 */

import { portableExp } from "../random/portable-math.js";
import type { Image } from "./image.js";

export interface PatchGridOptions {
  /** Side of the patches, in pixels. */
  readonly patchSize: number;
  /** Distance between the corners of neighbouring patches, in pixels. */
  readonly stride: number;
  readonly minLogGradientEnergy: number;
}

/** Mean gradient energies of any window of an image, in constant time each: a summed-area table in float64. */
export class GradientEnergy {
  readonly height: number;
  readonly width: number;
  readonly #channels: number;
  /** [height, width]: element (y, x) sums the energies of all pixels above and left of it. */
  readonly #sums: Float64Array;

  constructor(image: Image) {
    this.height = image.height;
    this.width = image.width;
    this.#channels = image.channels;
    this.#sums = summedEnergies(image);
  }

  /** Of the square of `side` ≥ 2 pixels at (y, x); only differences within it count. */
  mean(y: number, x: number, side: number): number {
    const { width } = this;
    const [top, bottom] = [y * width, (y + side - 1) * width];
    const [left, right] = [x, x + side - 1];
    const at = (index: number) => this.#sums[index]!;
    const sum = at(bottom + right) - at(top + right) - at(bottom + left) + at(top + left);
    return sum / ((side - 1) * (side - 1) * this.#channels);
  }
}

/** Corners of the grid's patches that have structure, row by row. Empty when the image is smaller than a patch. */
export function patchGrid(image: Image | GradientEnergy, options: PatchGridOptions): { y: number; x: number }[] {
  const energy = image instanceof GradientEnergy ? image : new GradientEnergy(image);
  const threshold = portableExp(options.minLogGradientEnergy);
  const corners: { y: number; x: number }[] = [];
  for (let y = 0; y + options.patchSize <= energy.height; y += options.stride) {
    for (let x = 0; x + options.patchSize <= energy.width; x += options.stride) {
      if (energy.mean(y, x, options.patchSize) >= threshold) corners.push({ y, x });
    }
  }
  return corners;
}

function summedEnergies({ height, width, channels, data }: Image): Float64Array {
  const sums = new Float64Array(height * width);
  const rowLength = width * channels;
  for (let y = 1; y < height; y++) {
    let row = 0;
    for (let x = 1; x < width; x++) {
      const pixel = (y - 1) * rowLength + (x - 1) * channels;
      for (let c = pixel; c < pixel + channels; c++) {
        const down = data[c + rowLength]! - data[c]!;
        const right = data[c + channels]! - data[c]!;
        row += down * down + right * right;
      }
      sums[y * width + x] = sums[(y - 1) * width + x]! + row;
    }
  }
  return sums;
}
