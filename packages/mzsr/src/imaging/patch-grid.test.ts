import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createImage, cropImage, type Image } from "./image.js";
import { GradientEnergy, patchGrid } from "./patch-grid.js";

/** Half flat, half noise, from a little generator of its own. */
function halfTextured(height: number, width: number): Image {
  let state = 12345;
  const data = Float32Array.from({ length: height * width * 3 }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(i / 3) % width < width / 2 ? 0.5 : state / 2 ** 32;
  });
  return createImage(height, width, 3, data);
}

/** The definition, word by word. */
function meanEnergy({ height, width, channels, data }: Image): number {
  let sum = 0;
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      for (let c = 0; c < channels; c++) {
        const here = data[(y * width + x) * channels + c]!;
        sum += (data[((y + 1) * width + x) * channels + c]! - here) ** 2;
        sum += (data[(y * width + x + 1) * channels + c]! - here) ** 2;
      }
    }
  }
  return sum / ((height - 1) * (width - 1) * channels);
}

describe("gradient energy", () => {
  it("of any window equals its definition", () => {
    const image = halfTextured(40, 50);
    const energy = new GradientEnergy(image);
    const window = fc
      .record({ side: fc.integer({ min: 2, max: 40 }), v: fc.nat(1000), u: fc.nat(1000) })
      .map(({ side, v, u }) => ({ side, y: v % (40 - side + 1), x: u % (50 - side + 1) }));
    fc.assert(
      fc.property(window, ({ side, y, x }) => {
        expect(energy.mean(y, x, side)).toBeCloseTo(meanEnergy(cropImage(image, y, x, side, side)), 10);
      }),
    );
  });
});

describe("the patch grid", () => {
  const options = { patchSize: 16, stride: 8, minLogGradientEnergy: -6 };

  it("keeps textured patches, drops flat ones, and stays inside the image", () => {
    const corners = patchGrid(halfTextured(48, 64), options);
    expect(corners.some(({ x }) => x === 48)).toBe(true);
    expect(corners.filter(({ x }) => x + 16 <= 32)).toEqual([]);
    expect(corners.every(({ y, x }) => y % 8 === 0 && x % 8 === 0 && y + 16 <= 48 && x + 16 <= 64)).toBe(true);
  });

  it("with a low threshold is the whole grid that fits", () => {
    const corners = patchGrid(halfTextured(32, 28), { ...options, minLogGradientEnergy: -700 });
    expect(corners).toEqual([0, 8, 16].flatMap((y) => [0, 8].map((x) => ({ y, x }))));
  });

  it("of an image smaller than a patch is empty", () => {
    expect(patchGrid(halfTextured(15, 64), options)).toEqual([]);
  });
});
