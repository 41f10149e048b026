import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { configurationSchema } from "@mzsr/shared";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import sharp from "sharp";
import { beforeEach, describe, expect, it } from "vitest";
import { loadDataset } from "./dataset.js";

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

const configuration = configurationSchema.parse({
  patches: { stride: 16 },
  pretraining: { patchSize: 48 },
  metaTraining: { patchSize: 32 },
});

async function picture(name: string, height: number, width: number, flat = false): Promise<string> {
  const path = join(folder, name);
  const values = Buffer.from(Array.from({ length: height * width * 3 }, (_, i) => (flat ? 128 : (i * 7919) % 251)));
  await sharp(values, { raw: { height, width, channels: 3 } })
    .png()
    .toFile(path);
  return path;
}

describe("a data set", () => {
  it("is sorted by name whatever order it is given in, with sizes, hashes and patches of both stages", async () => {
    const paths = [await picture("b.png", 64, 80), await picture("a.png", 48, 48)];
    const dataset = await loadDataset(paths, configuration);
    const content = await readFile(paths[0]!);
    expect(dataset.images.map((image) => image.name)).toEqual(["a.png", "b.png"]);
    expect(dataset.images[1]).toEqual({
      sha256: createHash("sha256").update(content).digest("hex"),
      name: "b.png",
      path: paths[0],
      bytes: content.byteLength,
      height: 64,
      width: 80,
    });
    expect(dataset.positions.pretraining.count).toBe(1 + 2 * 3);
    expect(dataset.positions.query.count).toBe(4 + 3 * 4);
    expect(dataset.positions.support.count).toBe(4 + 3 * 4);
    expect(dataset.positions.pretraining.at(6)).toEqual({ image: 1, y: 16, x: 32 });
    expect(await loadDataset([...paths].reverse(), configuration)).toEqual(dataset);
  });

  it("takes the same file only once, and says so", async () => {
    const first = await picture("a.png", 64, 64);
    await copyFile(first, join(folder, "b.png"));
    const dataset = await loadDataset([first, join(folder, "b.png")], configuration);
    expect(dataset.images.map((image) => image.name)).toEqual(["a.png"]);
    expect(dataset.notes).toEqual(["b.png is the same file as a.png and was left out"]);
  });

  it("without any usable patch is refused, naming the setting", async () => {
    const flat = await picture("flat.png", 64, 64, true);
    await expect(loadDataset([flat], configuration)).rejects.toThrow(/pretraining\.patchSize: none of the 1 images/);
    const small = await picture("small.png", 40, 40);
    await expect(loadDataset([small], configuration)).rejects.toThrow(/patch of 48×48/);
    const skipped = { ...configuration, pretraining: { ...configuration.pretraining, steps: 0 } };
    expect((await loadDataset([small], skipped)).positions.query.count).toBe(1);
  });

  it("lists all images that cannot be read, or is what it would be without them", async () => {
    const good = [await picture("b.png", 64, 80), await picture("a.png", 48, 48)];
    await mkdir(join(folder, "album.jpg"));
    await symlink("gone.png", join(folder, "dangling.png"));
    await writeFile(join(folder, "empty.png"), "");
    const whole = await readFile(good[0]!);
    await writeFile(join(folder, "half.png"), whole.subarray(0, whole.length / 2));
    const bad = ["half.png", "empty.png", "dangling.png", "album.jpg"].map((name) => join(folder, name));
    const paths = [bad[0]!, good[0]!, ...bad.slice(1), good[1]!];
    const refused: unknown = await loadDataset(paths, configuration).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(InputError);
    expect((refused as InputError).message).toContain("data: 4 of 6 images cannot be used; expected whole images, or");
    expect((refused as InputError).items).toEqual([
      expect.stringMatching(/album\.jpg: is a folder$/),
      expect.stringMatching(/dangling\.png: is a link to a file that is not there$/),
      expect.stringMatching(/empty\.png: file is empty$/),
      expect.stringMatching(/half\.png: corrupt image/),
    ]);
    const skipping = { ...configuration, skipBadImages: true };
    const { notes, ...dataset } = await loadDataset(paths, skipping);
    const { notes: _, ...expected } = await loadDataset(good, configuration);
    expect(dataset).toEqual(expected);
    expect(notes).toHaveLength(4);
    expect(notes[0]).toBe("album.jpg was left out: is a folder");
    await expect(loadDataset(bad, skipping)).rejects.toThrow(/4 of 4 images cannot be used/);
  });

  it("names a file that is missing or no image", async () => {
    await writeFile(join(folder, "x.png"), "not an image");
    await expect(loadDataset([join(folder, "x.png")], configuration)).rejects.toThrow(/x\.png/);
    await expect(loadDataset([join(folder, "gone.png")], configuration)).rejects.toThrow(/gone\.png: no such file/);
    await expect(loadDataset([], configuration)).rejects.toThrow(/no training images/);
  });
});
