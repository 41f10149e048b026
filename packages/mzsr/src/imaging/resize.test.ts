import { type GoldenArray, readGolden } from "@mzsr/testing/golden";
import { goldenImage, largestDifference } from "@mzsr/testing/golden-image";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createImage, cropImage, transformImage } from "./image.js";
import { imresize, imresizeSource, imresizeWindow } from "./resize.js";

interface Case {
  readonly scale: number;
  readonly input: GoldenArray;
  readonly output: GoldenArray;
}

const { cases } = readGolden<{ cases: Case[] }>("imresize_cubic");

test.each(cases)("imresize by $scale of $input.shape agrees with the independent implementation", (golden) => {
  const result = imresize(goldenImage(golden.input), golden.scale);
  expect([result.height, result.width, result.channels]).toEqual(golden.output.shape);
  expect(largestDifference(result.data, golden.output.data)).toBeLessThan(1e-6);
});

const sides = fc.integer({ min: 1, max: 24 });
const scales = fc.constantFrom(1 / 4, 1 / 3, 1 / 2, 1, 2, 3, 4);

test("a constant image stays constant", () => {
  fc.assert(
    fc.property(sides, sides, scales, fc.double({ min: 0, max: 1, noNaN: true }), (h, w, scale, level) => {
      const image = createImage(h, w, 3, new Float32Array(h * w * 3).fill(level));
      const { data } = imresize(image, scale);
      expect(largestDifference(data, new Float32Array(data.length).fill(level))).toBeLessThan(1e-6);
    }),
  );
});

test("the size is the scaled size, rounded up, also where the scale has no exact double", () => {
  fc.assert(
    fc.property(sides, sides, fc.integer({ min: 1, max: 7 }), (h, w, s) => {
      const down = imresize(createImage(h, w, 1), 1 / s);
      const up = imresize(createImage(h, w, 1), s);
      expect([down.height, down.width]).toEqual([Math.ceil(h / s), Math.ceil(w / s)]);
      expect([up.height, up.width]).toEqual([h * s, w * s]);
    }),
  );
});

test("scale 1 gives the image itself", () => {
  const image = createImage(
    3,
    4,
    3,
    Float32Array.from({ length: 36 }, (_, i) => i / 36),
  );
  expect(imresize(image, 1)).toEqual(image);
});

test("a given size is the upper left part of the whole result", () => {
  const image = createImage(
    5,
    6,
    3,
    Float32Array.from({ length: 90 }, (_, i) => (i * 37) % 11),
  );
  expect(imresize(image, 2, [9, 11])).toEqual(cropImage(imresize(image, 2), 0, 0, 9, 11));
});

test("resizing commutes with turning", () => {
  const image = createImage(
    8,
    8,
    3,
    Float32Array.from({ length: 192 }, (_, i) => ((i * 31) % 17) / 17),
  );
  for (let dihedral = 0; dihedral < 8; dihedral++) {
    const turnedFirst = imresize(transformImage(image, dihedral), 0.5);
    const turnedLast = transformImage(imresize(image, 0.5), dihedral);
    expect(largestDifference(turnedFirst.data, turnedLast.data)).toBeLessThan(1e-6);
  }
});

test("a scale that is no size is refused", () => {
  for (const scale of [0, -2, Number.NaN, Infinity])
    expect(() => imresize(createImage(4, 4, 3), scale)).toThrow(RangeError);
});

test("a window is made of a piece of the image that is large enough, and of no smaller one", () => {
  const image = createImage(
    40,
    30,
    3,
    Float32Array.from({ length: 40 * 30 * 3 }, (_, i) => ((i * 7919) % 256) / 255),
  );
  for (const scale of [1 / 3, 2, 3]) {
    const whole = imresize(image, scale);
    const window = { top: 3, left: 2, height: 6, width: 5 };
    const { top, left, height, width } = imresizeSource(image, scale, window);
    const piece = { image: cropImage(image, top, left, height, width), top, left, whole: image };
    expect(imresizeWindow(piece, scale, window)).toEqual(cropImage(whole, 3, 2, 6, 5));
    const small = { ...piece, image: cropImage(image, top, left, height - 1, width) };
    expect(() => imresizeWindow(small, scale, window)).toThrow(RangeError);
  }
});
