import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createImage, cropImage, encodePng, type Image, readImageBytes } from "@mzsr/mzsr";
import type { DatasetImage } from "@mzsr/shared";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { pino } from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import { compactImage, cropCompact } from "./compact-image.js";
import { ImageFiles } from "./image-files.js";
import { ImageStore } from "./image-store.js";

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

const picture = (seed: number, levels = 255): Image =>
  createImage(
    20,
    24,
    3,
    Float32Array.from({ length: 20 * 24 * 3 }, (_, i) => ((i * 31 + seed) % (levels + 1)) / levels),
  );

/** Image files with a coordinator that is a map, and counts what it is asked. */
async function setUp(localImages: readonly string[] = []) {
  const contents = await Promise.all([1, 2, 3].map((seed) => encodePng(picture(seed))));
  const list = contents.map((content, i): DatasetImage => {
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { sha256, name: `${i}.png`, bytes: content.byteLength };
  });
  const served = new Map(list.map((image, i) => [image.sha256, contents[i]!]));
  const asked: string[] = [];
  const fetch = async (image: DatasetImage) => {
    asked.push(image.name);
    return served.get(image.sha256)!;
  };
  const cacheDir = join(folder, "cache");
  const files = () => new ImageFiles({ cacheDir, localImages, fetch, logger: pino({ level: "silent" }) });
  return { contents, list, served, asked, files, cacheDir };
}

const cached = async (cacheDir: string) => {
  const entries = await readdir(cacheDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

describe("image files", () => {
  it("come from the coordinator once, then from the cache, also for another worker", async () => {
    const { files, list, contents, asked, cacheDir } = await setUp();
    expect(await files().content(list[0]!)).toEqual(contents[0]);
    expect(await files().content(list[0]!)).toEqual(contents[0]);
    expect(asked).toEqual(["0.png"]);
    expect((await cached(cacheDir)).length).toBe(1);
  });

  it("come from a local folder that has them, under any name", async () => {
    const local = join(folder, "mine");
    const { files, list, contents, asked } = await setUp([join(folder, "gone"), local]);
    await mkdir(local);
    await writeFile(join(local, "holiday.png"), contents[1]!);
    expect(await files().content(list[1]!)).toEqual(contents[1]);
    expect(asked).toEqual([]);
  });

  it("are refused when the coordinator sends another content, and nothing is cached", async () => {
    const { files, list, served, cacheDir } = await setUp();
    served.set(list[0]!.sha256, Buffer.from("something else"));
    await expect(files().content(list[0]!)).rejects.toThrow(/0\.png from the coordinator is 14 bytes .* expected/);
    await expect(readdir(cacheDir)).rejects.toThrow(/ENOENT/);
  });

  it("that were damaged in the cache are fetched again", async () => {
    const { files, list, contents, asked, cacheDir } = await setUp();
    await files().content(list[0]!);
    const [path] = await cached(cacheDir);
    await writeFile(path!, contents[0]!.subarray(0, 20));
    expect(await files().content(list[0]!)).toEqual(contents[0]);
    expect(asked).toEqual(["0.png", "0.png"]);
    expect(await readFile(path!)).toEqual(contents[0]);
  });

  it("are usable when they cannot be cached", async () => {
    const { files, list, contents, cacheDir } = await setUp();
    await writeFile(cacheDir, "a file where the folder should be");
    expect(await files().content(list[0]!)).toEqual(contents[0]);
  });
});

describe("the image store", () => {
  it("decodes an image once, however many tasks ask at the same time", async () => {
    const { files, list, asked } = await setUp();
    const store = new ImageStore(files(), 1e9);
    const [a, b] = await Promise.all([store.images(list, [0, 1, 0]), store.images(list, [1])]);
    expect([...a.keys()].sort()).toEqual([0, 1]);
    expect(a.get(1)).toBe(b.get(1));
    expect(asked.sort()).toEqual(["0.png", "1.png"]);
    expect(store.bytes).toBe(2 * 20 * 24 * 3);
  });

  it("keeps the most recently used images within its budget", async () => {
    const { files, list } = await setUp();
    const store = new ImageStore(files(), 2 * 20 * 24 * 3);
    const first = (await store.images(list, [0])).get(0);
    const second = (await store.images(list, [1])).get(1);
    await store.images(list, [0]);
    await store.images(list, [2]);
    expect((await store.images(list, [0])).get(0)).toBe(first);
    expect((await store.images(list, [1])).get(1)).not.toBe(second);
    expect(store.bytes).toBe(2 * 20 * 24 * 3);
  });

  it("tries again after a failure, and refuses an image that the run has not", async () => {
    const { files, list, served, contents } = await setUp();
    const store = new ImageStore(files(), 1e9);
    served.set(list[0]!.sha256, Buffer.from("x"));
    await expect(store.images(list, [0])).rejects.toThrow(/0\.png/);
    served.set(list[0]!.sha256, contents[0]!);
    expect((await store.images(list, [0])).size).toBe(1);
    await expect(store.images(list, [3])).rejects.toThrow(/names image 3, but the run has 3/);
  });
});

describe("a compact image", () => {
  it("gives crops with the very values of the decoded file", async () => {
    const decoded = await readImageBytes(await encodePng(picture(9)), "picture");
    const compact = compactImage(decoded);
    expect(compact.data).toBeInstanceOf(Uint8Array);
    expect(cropCompact(compact, 3, 8, 16)).toEqual(cropImage(decoded, 3, 8, 16, 16));
  });

  it("of more than 8 bits keeps its floats", () => {
    const image = picture(5, 1000);
    const compact = compactImage(image);
    expect(compact.data).toBeInstanceOf(Float32Array);
    expect(cropCompact(compact, 0, 0, 20)).toEqual(cropImage(image, 0, 0, 20, 20));
  });

  it("has nothing outside its borders", () => {
    expect(() => cropCompact(compactImage(picture(1)), 5, 0, 16)).toThrow(/patch of 16×16 at \(5, 0\) leaves/);
  });
});
