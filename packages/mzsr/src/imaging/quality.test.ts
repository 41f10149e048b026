import { type GoldenArray, readGolden } from "@mzsr/testing/golden";
import { goldenImage } from "@mzsr/testing/golden-image";
import { expect, test } from "vitest";
import { createImage, type Image } from "./image.js";
import { psnrY, ssimY } from "./quality.js";

interface Case {
  readonly shave: number;
  readonly reference: GoldenArray;
  readonly estimate: GoldenArray;
  readonly psnr_y: number;
  readonly ssim_y: number;
}

const { cases } = readGolden<{ cases: Case[] }>("metrics");
const flat = (level: number, side = 20): Image =>
  createImage(side, side, 3, new Float32Array(side * side * 3).fill(level));

test.each(cases)(
  "PSNR and SSIM of $reference.shape, $shave shaved, agree with the independent implementation",
  (golden) => {
    const reference = goldenImage(golden.reference, 255);
    const estimate = goldenImage(golden.estimate, 255);
    expect(Math.abs(psnrY(reference, estimate, golden.shave) - golden.psnr_y)).toBeLessThan(1e-6);
    expect(Math.abs(ssimY(reference, estimate, golden.shave) - golden.ssim_y)).toBeLessThan(1e-6);
  },
);

test("equal images have infinite PSNR and SSIM 1", () => {
  expect(psnrY(flat(0.4), flat(0.4), 2)).toBe(Infinity);
  expect(ssimY(flat(0.4), flat(0.4), 2)).toBeCloseTo(1, 12);
});

test("errors in the shaved border do not count", () => {
  const image = flat(0.4);
  const damaged = { ...image, data: image.data.slice() };
  damaged.data.fill(1, 0, 2 * 20 * 3);
  expect(psnrY(image, damaged, 2)).toBe(Infinity);
  expect(psnrY(image, damaged, 1)).toBeLessThan(30);
});

test("values beyond white are compared as white, as they will be written", () => {
  expect(psnrY(flat(1), flat(1.7), 0)).toBe(Infinity);
});

test("images that cannot be compared are refused", () => {
  expect(() => psnrY(flat(0, 20), flat(0, 21), 2)).toThrow(/shapes/);
  expect(() => psnrY(flat(0, 4), flat(0, 4), 2)).toThrow(/too small/);
  expect(() => ssimY(flat(0, 14), flat(0, 14), 2)).toThrow(/too small/);
  expect(() => psnrY(createImage(9, 9, 1), createImage(9, 9, 1), 0)).toThrow(/RGB/);
});
