import { expect, it } from "vitest";
import { createImage } from "../imaging/image.js";
import { structuredCrops } from "./structured-crops.js";

/** Flat but for checkerboards of the given contrast in some cells of a grid. */
function patched(height: number, width: number, cell: number, contrasts: Record<string, number>) {
  const image = createImage(height, width, 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const contrast = contrasts[`${Math.floor(y / cell)},${Math.floor(x / cell)}`] ?? 0;
      image.data.fill(0.5 + contrast * ((x + y) % 2), 3 * (y * width + x), 3 * (y * width + x) + 3);
    }
  }
  return image;
}

it("takes the squares with the most structure, in reading order", () => {
  const image = patched(64, 96, 32, { "0,2": 0.1, "1,0": 0.4, "1,1": 0.2 });
  expect(structuredCrops(image, 32, 2)).toEqual([
    { y: 32, x: 0 },
    { y: 32, x: 32 },
  ]);
});

it("takes the earlier of equal squares, and no more than there are", () => {
  const image = patched(64, 64, 32, {});
  expect(structuredCrops(image, 32, 1)).toEqual([{ y: 0, x: 0 }]);
  expect(structuredCrops(image, 32, 100)).toHaveLength(4);
});

it("spreads its grid from edge to edge, and centres a lone row", () => {
  const corners = structuredCrops(patched(50, 100, 32, {}), 32, 9);
  expect(corners).toEqual([
    { y: 9, x: 0 },
    { y: 9, x: 34 },
    { y: 9, x: 68 },
  ]);
});
