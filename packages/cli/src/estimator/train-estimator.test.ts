/** `mzsr train-estimator` through the real command, on few small photos: what it learns is worth little, but works. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createImage, Draws, estimateKernel, imresize, readEstimator, writePng } from "@mzsr/mzsr";
import { mzsr } from "@mzsr/testing/run-command";
import { sharedFolder, temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, expect, it } from "vitest";

const SLOW = { timeout: 240_000 };
const PHOTOS = 10;
const SIDE = 192;

const folder = sharedFolder();
const photo = (seed: number) => {
  const draws = new Draws(seed, [0, 0, 0]);
  const data = Float32Array.from({ length: (SIDE / 6) ** 2 * 3 }, () => draws.uniform(0, 1));
  return imresize(createImage(SIDE / 6, SIDE / 6, 3, data), 6);
};
beforeAll(async () => {
  for (let i = 0; i < PHOTOS; i++) await writePng(join(folder, `photo${i}.png`), photo(i));
});

const train = (...args: string[]) => mzsr(["train-estimator", "--images", folder, ...args]);

it("writes an estimator for each downsampling, the same for the same seed", SLOW, async () => {
  const [first, again] = [join(folder, "a.safetensors"), join(folder, "b.safetensors")];
  const few = ["--kernels", "1", "--scales", "2"];
  const { code, out } = await train("-o", first, ...few, "--json");
  expect([code, JSON.parse(out).photos]).toEqual([0, PHOTOS - 2]);
  expect((await train("-o", again, ...few)).code).toBe(0);
  expect(await readFile(again)).toEqual(await readFile(first));
  const estimator = await readEstimator(first);
  expect([...estimator.parts.keys()]).toEqual(["x2-direct", "x2-bicubic"]);
  const { shape } = await estimateKernel(photo(99), { scale: 2, estimator });
  expect(shape.lambda1).toBeGreaterThanOrEqual(shape.lambda2);
});

it("refuses too few photos, and a name that is none of an estimator", SLOW, async () => {
  const output = join(folder, "c.safetensors");
  const few = await train("-o", output, "--leave-out", "2");
  expect([few.code, few.notes]).toEqual([
    2,
    expect.stringMatching(/5 photos to learn from are too few; expected 8 or more/),
  ]);
  const small = await temporaryFolder();
  await writePng(join(small, "small.png"), createImage(150, 200, 3));
  const smaller = await mzsr(["train-estimator", "--images", small, "--scales", "2", "-o", output]);
  expect([smaller.code, smaller.notes]).toEqual([
    2,
    expect.stringMatching(
      /small\.png: 200×150 pixels are too small to learn .* 2 times smaller; at least 192 a side are needed/,
    ),
  ]);
  const image = await train("-o", join(folder, "photo0.png"), "--force");
  expect([image.code, image.notes]).toEqual([2, expect.stringMatching(/ends with \.safetensors/)]);
});
