import fc from "fast-check";
import { expect, test } from "vitest";
import { createImage, cropImage, type Image, modCrop, toBytes, transformImage } from "./image.js";

/** Any small image; every value differs, so that equal data means equal arrangement. */
const images = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }))
  .map(([h, w, c]) =>
    createImage(
      h,
      w,
      c,
      Float32Array.from({ length: h * w * c }, (_, i) => i),
    ),
  );
const transforms = fc.integer({ min: 0, max: 7 });

const grid = (rows: number[][]): Image => createImage(rows.length, rows[0]!.length, 1, Float32Array.from(rows.flat()));

test("quarter turns go counter-clockwise and the flip comes first", () => {
  const image = grid([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const expected = [
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [
      [3, 6],
      [2, 5],
      [1, 4],
    ],
    [
      [6, 5, 4],
      [3, 2, 1],
    ],
    [
      [4, 1],
      [5, 2],
      [6, 3],
    ],
    [
      [3, 2, 1],
      [6, 5, 4],
    ],
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
    [
      [4, 5, 6],
      [1, 2, 3],
    ],
    [
      [6, 3],
      [5, 2],
      [4, 1],
    ],
  ];
  for (const [dihedral, rows] of expected.entries()) expect(transformImage(image, dihedral)).toEqual(grid(rows));
});

test("the eight transforms form a group: closed, with identity and inverses", () => {
  // On an image without symmetry the eight results differ, so each names its transform.
  const probe = grid([
    [1, 2],
    [3, 4],
  ]);
  const nameOf = new Map(Array.from({ length: 8 }, (_, d) => [transformImage(probe, d).data.join(), d]));
  expect(nameOf.size).toBe(8);
  const product = (first: number, second: number) => {
    const name = nameOf.get(transformImage(transformImage(probe, first), second).data.join());
    if (name === undefined) throw new Error(`${second} after ${first} is none of the eight`);
    return name;
  };
  fc.assert(
    fc.property(images, transforms, transforms, (image, first, second) => {
      const both = product(first, second);
      expect(transformImage(transformImage(image, first), second)).toEqual(transformImage(image, both));
      const inverse = [0, 1, 2, 3, 4, 5, 6, 7].filter((candidate) => product(first, candidate) === 0);
      expect(inverse).toHaveLength(1);
      expect(transformImage(transformImage(image, first), inverse[0]!)).toEqual(image);
    }),
  );
});

test("a transform out of 0 … 7 is refused", () => {
  const image = createImage(2, 2, 1);
  for (const dihedral of [-1, 8, 0.5]) expect(() => transformImage(image, dihedral)).toThrow(RangeError);
});

test("a crop holds the window's pixels", () => {
  const image = grid([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]);
  expect(cropImage(image, 1, 0, 2, 2)).toEqual(
    grid([
      [4, 5],
      [7, 8],
    ]),
  );
});

test("a window that leaves the image is refused", () => {
  const image = createImage(4, 5, 3);
  for (const [y, x, h, w] of [
    [-1, 0, 2, 2],
    [0, 4, 2, 2],
    [3, 0, 2, 2],
    [0, 0, 5, 5],
    [0, 0, 0, 2],
  ] as const) {
    expect(() => cropImage(image, y, x, h, w)).toThrow(RangeError);
  }
});

test("modCrop keeps the upper left part whose sides the scale divides", () => {
  const { height, width } = modCrop(createImage(11, 9, 3), 4);
  expect([height, width]).toEqual([8, 8]);
});

test("shapes that do not fit the data are refused", () => {
  expect(() => createImage(2, 2, 3, new Float32Array(11))).toThrow(RangeError);
  expect(() => createImage(0, 2, 3)).toThrow(RangeError);
});

test("bytes are rounded and clipped", () => {
  const image = createImage(1, 6, 1, Float32Array.of(-0.1, 0, 100.4 / 255, 100.6 / 255, 2, Number.NaN));
  expect([...toBytes(image)]).toEqual([0, 0, 100, 101, 255, 0]);
});
