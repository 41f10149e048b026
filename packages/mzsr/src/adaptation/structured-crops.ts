import type { Image } from "../imaging/image.js";
import { GradientEnergy } from "../imaging/patch-grid.js";

/** Upper left corner of a square crop, in pixels. */
export interface Corner {
  readonly y: number;
  readonly x: number;
}

/**
 * The `count` squares of a regular grid over the image that have the most structure, in reading order. Deterministic; ties go to the earlier square.
 *
 * @param side of the squares, in pixels, at most the image's height and width
 */
export function structuredCrops(image: Image, side: number, count: number): Corner[] {
  const energy = new GradientEnergy(image);
  const corners = gridStarts(image.height, side).flatMap((y) => gridStarts(image.width, side).map((x) => ({ y, x })));
  return corners
    .map((corner, order) => ({ corner, order, energy: energy.mean(corner.y, corner.x, side) }))
    .sort((a, b) => b.energy - a.energy || a.order - b.order)
    .slice(0, count)
    .sort((a, b) => a.order - b.order)
    .map(({ corner }) => corner);
}

/** Starts of squares that do not overlap, spread evenly from edge to edge. */
function gridStarts(length: number, side: number): number[] {
  const count = Math.max(1, Math.floor(length / side));
  const gap = count === 1 ? 0 : (length - side) / (count - 1);
  return Array.from({ length: count }, (_, i) => Math.round(count === 1 ? (length - side) / 2 : i * gap));
}
