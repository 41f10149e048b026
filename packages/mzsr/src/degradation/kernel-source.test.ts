import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readFixture } from "@mzsr/testing/fixtures";
import { largestDifference } from "@mzsr/testing/golden-image";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { createImage, cropImage } from "../imaging/image.js";
import { blur } from "./blur.js";
import { centreOfMass } from "./centred-kernel.js";
import { gaussianKernel } from "./kernel.js";
import { loadKernel } from "./kernel-source.js";

const folder = sharedFolder();

async function file(name: string, content: Buffer | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** A float64 .npy file of the given shape. */
function npy(rows: number, columns: number, value: (i: number) => number): Buffer {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${rows}, ${columns}), }\n`;
  const data = Float64Array.from({ length: rows * columns }, (_, i) => value(i));
  return Buffer.concat([
    Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length, 0)}${header}`, "latin1"),
    Buffer.from(data.buffer),
  ]);
}

test.each([
  ["g2.0", 2, 2, 0],
  ["g0.2", 0.2, 0.2, 0],
  ["gani", 4, 1, -0.5],
  ["g1.3", 1.3, 1.3, 0],
  ["gauss:5,1.2,0.7", 5, 1.2, 0.7],
  ["gauss: 3, 1, -1e-1", 3, 1, -0.1],
])("%s is the Gaussian of λ %d and %d, θ %d", async (source, lambda1, lambda2, theta) => {
  const kernel = await loadKernel(source);
  expect(kernel).toMatchObject({ name: source, size: 15, notes: [] });
  expect(kernel.data).toEqual(gaussianKernel({ lambda1, lambda2, theta }).data);
});

test("a .npy file is read, normalised, and what was done is said", async () => {
  const kernel = await loadKernel(
    await file(
      "k.npy",
      npy(3, 3, () => 3),
    ),
  );
  expect(kernel.size).toBe(3);
  expect(kernel.data[0]).toBeCloseTo(1 / 9, 14);
  expect(kernel.notes).toEqual(["kernel summed to 27; scaled to sum 1"]);
});

test("a .mat file's matrix called kernel is taken among others, in row order", async () => {
  const kernel = await loadKernel(await file("several.MAT", readFixture("kernels/scipy-several.mat")));
  expect(kernel.size).toBe(3);
  expect(kernel.data[1]).toBeCloseTo(1 / 72.5, 14);
});

test("a .mat file's matrix may be chosen by name", async () => {
  const path = await file("two.mat", readFixture("kernels/scipy-two.mat"));
  expect((await loadKernel(`${path}:b`)).name).toBe(`${path}:b`);
  await expect(loadKernel(`${path}:c`)).rejects.toThrow(/two\.mat: holds no single matrix 'c'; expected one of a, b/);
});

test.each(["mat", "npy"])(
  "a name after a .%s file that is missing is no reason to call the file unknown",
  async (kind) => {
    await expect(loadKernel(`none.${kind}:k`)).rejects.toThrow(/no such file/);
  },
);

test("a kernel off its centre is read as it is, with a note, or centred when told", async () => {
  const path = await file("off.mat", readFixture("kernels/off-centre.mat"));
  expect((await loadKernel(path)).notes.join()).toMatch(/2\.00 pixels to the right and 3\.00 pixels below its middle/);
  const { size, data } = await loadKernel(path, { centre: true });
  expect(data.indexOf(Math.max(...data))).toBe((size * size - 1) / 2);
});

test("a kernel is correlated: an image of one white pixel shows it turned by half", async () => {
  const kernel = await loadKernel(await file("asymmetric.mat", readFixture("kernels/asymmetric.mat")));
  const flipped = await loadKernel(await file("flipped.mat", readFixture("kernels/asymmetric-flipped.mat")));
  const side = 31;
  const point = createImage(side, side, 1);
  point.data[(side * side - 1) / 2] = 1;
  const cut = (side - kernel.size) / 2;
  const seen = cropImage(blur(point, kernel), cut, cut, kernel.size, kernel.size);
  expect(largestDifference(seen.data, kernel.data.toReversed())).toBeLessThan(1e-7);
  expect(centreOfMass(kernel).x).toBeCloseTo(-centreOfMass(flipped).x, 9);
});

describe("what is no kernel is refused", () => {
  test.each([
    [
      "an unknown name",
      "g3",
      /unknown kernel 'g3'; expected g0\.2, g2\.0, gani, g1\.3, gauss:λ1,λ2,θ, or a \.mat or \.npy/,
    ],
    ["a property of every object", "constructor", /unknown kernel/],
    ["two numbers", "gauss:1,2", /is not three numbers; expected gauss:λ1,λ2,θ/],
    ["an empty number", "gauss:1,,2", /is not three numbers/],
    ["a word", "gauss:1,2,x", /is not three numbers/],
    ["a variance of 0", "gauss:0,1,0", /variance 0 is out of range/],
    ["a missing file", "no/such/kernel.mat", /no\/such\/kernel\.mat: no such file or folder; expected a \.mat file/],
  ])("%s", async (_, source, message) => {
    await expect(loadKernel(source)).rejects.toThrow(InputError);
    await expect(loadKernel(source)).rejects.toThrow(message);
  });

  test.each([
    ["an empty file", "empty.npy", "", /file is empty/],
    ["a kernel that is not square", "oblong.npy", npy(3, 5, () => 1), /oblong\.npy: kernel of 3×5 is not square/],
    ["an even kernel", "even.npy", npy(4, 4, () => 1), /4×4 is not odd/],
    ["a kernel beyond 61", "large.npy", npy(63, 63, () => 1), /63×63 is too large/],
    ["a kernel with NaN", "nan.npy", npy(3, 3, (i) => (i === 4 ? Number.NaN : 1)), /NaN at row 1, column 1/],
    ["a kernel of sum zero", "zero.npy", npy(3, 3, () => 0), /sums to zero/],
    [
      "a .mat file with two matrices",
      "two.mat",
      readFixture("kernels/scipy-two.mat"),
      /several matrices: a, b; expected one matrix, one called 'kernel', or a choice such as .*two\.mat:a/,
    ],
    ["a .mat file without a matrix", "text.mat", readFixture("kernels/scipy-text.mat"), /holds no real matrix/],
    ["text in a .mat file", "junk.mat", "not a kernel", /not a MATLAB 5 file/],
    ["a file far too large", "big.npy", Buffer.alloc(17 * 1024 * 1024), /bytes; expected .*at most/],
  ])("%s", async (_, name, content, message) => {
    const path = await file(name, content);
    await expect(loadKernel(path)).rejects.toThrow(InputError);
    await expect(loadKernel(path)).rejects.toThrow(message);
  });

  test("a folder", async () => {
    const path = join(folder, "folder.mat");
    await mkdir(path);
    await expect(loadKernel(path)).rejects.toThrow(/is a folder/);
  });
});
