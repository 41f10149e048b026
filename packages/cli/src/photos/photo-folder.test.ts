/** Folders as people have them: some entries cannot be used. */
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createImage, parameterLayout, writeModel, writePng } from "@mzsr/mzsr";
import { mzsr } from "@mzsr/testing/run-command";
import { makePhotos } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import sharp from "sharp";
import { beforeAll, expect, it } from "vitest";

/** Two good photos; an album, a dangling link, a CMYK file, a thumbnail, an empty file. */
let mixed: string;
/** Two good photos, and one that is cut short, which its header does not tell. */
let cut: string;
let model: string;

const root = sharedFolder();
beforeAll(async () => {
  [mixed, cut, model] = [join(root, "mixed"), join(root, "cut"), join(root, "model.safetensors")];
  await makePhotos(mixed);
  await cp(mixed, cut, { recursive: true });
  const whole = await readFile(join(cut, "one.png"));
  await writeFile(join(cut, "a-cut.png"), whole.subarray(0, whole.length / 2));
  await mkdir(join(mixed, "album.jpg"));
  await symlink("gone.jpg", join(mixed, "dangling.jpg"));
  await writePng(join(mixed, "thumb.png"), createImage(20, 20, 3));
  await writeFile(join(mixed, "empty.jpg"), "");
  const grey = { create: { width: 80, height: 80, channels: 3, background: "grey" } } as const;
  await sharp(grey).toColourspace("cmyk").jpeg().toFile(join(mixed, "cmyk.jpg"));
  const architecture = { depth: 2, width: 4 };
  const parameters = new Float32Array(parameterLayout(architecture).size);
  await writeModel(model, { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} });
});

const evaluate = (images: string, ...args: string[]) =>
  mzsr(["evaluate", "--model", model, "--images", images, "--kernel", "g2.0", "--updates", "0", ...args]);

it("evaluate lists everything in a folder that it cannot use before it computes", { timeout: 60_000 }, async () => {
  const { code, out, notes } = await evaluate(mixed);
  expect([code, out]).toEqual([2, ""]);
  expect(notes.trimEnd().split("\n")).toEqual([
    `mzsr: ${mixed}: 5 of 7 images cannot be used; expected whole images, or --skip-bad to go on without these`,
    `  ${join(mixed, "album.jpg")}: is a folder`,
    expect.stringMatching(/^ {2}.*cmyk\.jpg: image has cmyk pixels/),
    `  ${join(mixed, "dangling.jpg")}: is a link to a file that is not there`,
    `  ${join(mixed, "empty.jpg")}: file is empty`,
    expect.stringMatching(
      /^ {2}.*thumb\.png: 20×20 pixels are too small to degrade, enlarge ×2 and compare; at least 64 a side/,
    ),
  ]);
});

it("evaluate --skip-bad goes on without these, and says so", { timeout: 60_000 }, async () => {
  const { code, out, notes } = await evaluate(mixed, "--skip-bad", "--json", "--backend", "simd");
  const { images, skipped, failed } = JSON.parse(out);
  expect([code, images.map((image: { name: string }) => image.name), failed]).toEqual([0, ["one.png", "two.png"], []]);
  expect(skipped).toHaveLength(5);
  expect(notes).toContain(`${join(mixed, "album.jpg")} was left out: is a folder`);
});

it("a photo that fails later costs the scores of no other", { timeout: 60_000 }, async () => {
  const { code, out, notes } = await evaluate(cut, "--backend", "simd");
  expect(code).toBe(1);
  expect(out.split("\n").map((line) => line.split(/\s{2,}/)[0])).toEqual([
    "PSNR-Y (dB) / SSIM-Y",
    "one.png",
    "two.png",
    "mean",
    "",
  ]);
  expect(notes).toMatch(
    /mzsr: 1 of 3 images could not be evaluated; the scores are of the others\n {2}.*a-cut\.png: corrupt/,
  );
  expect(notes).toMatch(/^one\.png: bicubic \d+\.\d\d, before adaptation \d+\.\d\d dB$/m);
  const skipping = await evaluate(cut, "--backend", "simd", "--skip-bad", "--json");
  expect([skipping.code, JSON.parse(skipping.out).skipped]).toEqual([
    0,
    [{ name: join(cut, "a-cut.png"), reason: expect.stringContaining("corrupt image") }],
  ]);
});
