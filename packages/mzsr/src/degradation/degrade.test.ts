import { type GoldenArray, readGolden } from "@mzsr/testing/golden";
import { goldenImage, largestDifference } from "@mzsr/testing/golden-image";
import { describe, expect, test } from "vitest";
import { createImage, cropImage } from "../imaging/image.js";
import { imresize } from "../imaging/resize.js";
import { type Downsampling, degrade, degradeWindow, interpolateLow, interpolateWindow } from "./degrade.js";
import { gaussianKernel } from "./kernel.js";

interface Case {
  readonly scale: number;
  readonly downsampling: Downsampling;
  readonly kernel: GoldenArray;
  readonly input: GoldenArray;
  readonly output: GoldenArray;
}

const { cases } = readGolden<{ cases: Case[] }>("degradation");
const kernel = gaussianKernel({ lambda1: 2, lambda2: 1, theta: 0.5 });
const photo = createImage(
  33,
  30,
  3,
  Float32Array.from({ length: 33 * 30 * 3 }, (_, i) => ((i * 7919) % 256) / 255),
);

test.each(cases)("$downsampling ×$scale of $input.shape agrees with the independent implementation", (golden) => {
  const size = golden.kernel.shape[0]!;
  const given = { size, data: Float64Array.from(golden.kernel.data) };
  const low = degrade(goldenImage(golden.input), { ...golden, kernel: given });
  expect([low.height, low.width, low.channels]).toEqual(golden.output.shape);
  expect(largestDifference(low.data, golden.output.data)).toBeLessThan(1e-6);
});

describe.each(["direct", "bicubic"] as const)("%s downsampling", (downsampling) => {
  test.each([2, 3, 4])("by %i gives a side of ⌈side / scale⌉, and its ILR the HR image's size", (scale) => {
    const low = degrade(photo, { kernel, scale, downsampling });
    expect([low.height, low.width]).toEqual([Math.ceil(33 / scale), Math.ceil(30 / scale)]);
    const interpolated = interpolateLow(low, scale, [33, 30]);
    expect([interpolated.height, interpolated.width, interpolated.channels]).toEqual([33, 30, 3]);
  });
});

test("without a kernel the image is only downsampled", () => {
  expect(degrade(photo, { scale: 3, downsampling: "bicubic" })).toEqual(imresize(photo, 1 / 3));
  const low = degrade(photo, { scale: 3, downsampling: "direct" });
  expect([...low.data.subarray(3, 6)]).toEqual([...photo.data.subarray(9, 12)]);
});

describe("noise", () => {
  const noisy = (seed: number, sigma = 0.05) =>
    degrade(photo, { kernel, scale: 2, downsampling: "direct", noise: { sigma, seed } });
  const clean = degrade(photo, { kernel, scale: 2, downsampling: "direct" });

  test("comes again with its seed and differs with another", () => {
    expect(noisy(1)).toEqual(noisy(1));
    expect(noisy(1)).not.toEqual(noisy(2));
  });

  test("of sigma 0 changes nothing", () => {
    expect(noisy(1, 0)).toEqual(clean);
  });

  test("has mean 0 and the standard deviation asked for", () => {
    const added = noisy(3).data.map((value, i) => value - clean.data[i]!);
    const mean = added.reduce((sum, value) => sum + value, 0) / added.length;
    const deviation = Math.sqrt(added.reduce((sum, value) => sum + (value - mean) ** 2, 0) / added.length);
    expect(Math.abs(mean)).toBeLessThan(0.006);
    expect(Math.abs(deviation - 0.05)).toBeLessThan(0.004);
  });
});

test("what has no meaning is refused", () => {
  expect(() => degrade(photo, { kernel, scale: 1.5, downsampling: "direct" })).toThrow(RangeError);
  expect(() => interpolateLow(createImage(4, 4, 3), 2, [9, 8])).toThrow(RangeError);
});

describe("a window alone is the same to the bit as in the whole image", () => {
  const corners = [
    { top: 0, left: 0, height: 4, width: 3 },
    { top: 3, left: 2, height: 5, width: 4 },
  ];
  test.each([2, 3, 4])("of the LR image and of its interpolation, by %i", (scale) => {
    for (const downsampling of ["direct", "bicubic"] as const) {
      for (const blur of [kernel, undefined]) {
        const degradation = { kernel: blur, scale, downsampling };
        const low = degrade(photo, degradation);
        const last = { top: low.height - 3, left: low.width - 2, height: 3, width: 2 };
        for (const window of [...corners, last]) {
          const { top, left, height, width } = window;
          expect(degradeWindow(photo, degradation, window)).toEqual(cropImage(low, top, left, height, width));
        }
        const high = interpolateLow(low, scale, [33, 30]);
        for (const window of [...corners, { top: 20, left: 11, height: 13, width: 19 }]) {
          const { top, left, height, width } = window;
          expect(interpolateWindow(low, scale, window)).toEqual(cropImage(high, top, left, height, width));
        }
      }
    }
  });
});
