/** evaluate, upscale and export through the real command, with a model that adds nothing to the bicubic image. */
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  degrade,
  imresize,
  interpolateLow,
  listImages,
  loadKernel,
  modCrop,
  parameterLayout,
  psnrY,
  readImage,
  readModel,
  writeModel,
} from "@mzsr/mzsr";
import { mzsr } from "@mzsr/testing/run-command";
import { makePhotos } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, expect, it } from "vitest";

let photos: string;
let model: string;

const folder = sharedFolder();
beforeAll(async () => {
  photos = join(folder, "photos");
  model = join(folder, "model.safetensors");
  await makePhotos(photos);
  const architecture = { depth: 2, width: 4 };
  const { size, entries } = parameterLayout(architecture);
  const parameters = Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 3);
  const last = entries.find(({ name }) => name === "conv2/kernel")!;
  parameters.fill(0, last.offset);
  await writeModel(model, { architecture, scale: 2, parameters, innerRates: undefined, metadata: { run: "test" } });
});

it("evaluate measures every method on every image, and their means", { timeout: 120_000 }, async () => {
  const args = [
    "evaluate",
    "--model",
    model,
    "--images",
    photos,
    "--kernel",
    "g2.0",
    "--scale",
    "2",
    "--updates",
    "3,0,1",
  ];
  const { code, out } = await mzsr([...args, "--json", "--backend", "simd"]);
  expect(code).toBe(0);
  const results = JSON.parse(out);
  expect(results).toMatchObject({ kernel: "g2.0", downsampling: "direct", scale: 2, backend: "simd" });
  expect(results.images.map((image: { name: string }) => image.name)).toEqual(await listImages(photos));
  expect(Object.keys(results.psnr_y).sort()).toEqual(["0", "1", "3", "bicubic"]);
  expect(Object.keys(results.ssim_y).sort()).toEqual(["0", "1", "3", "bicubic"]);
  const [one, two] = results.images;
  expect(results.psnr_y[3]).toBeCloseTo((one.psnr_y[3] + two.psnr_y[3]) / 2, 10);
  expect(one.psnr_y[0]).toBeCloseTo(one.psnr_y.bicubic, 10);
  expect(one.psnr_y[3]).toBeGreaterThan(one.psnr_y[0]);

  const hr = modCrop(await readImage(join(photos, "one.png")), 2);
  const low = degrade(hr, { kernel: await loadKernel("g2.0"), scale: 2, downsampling: "direct" });
  const bicubic = psnrY(hr, interpolateLow(low, 2, [hr.height, hr.width]), 2);
  // The command rounds LR to 8 bits, which moves the score a little.
  expect(one.psnr_y.bicubic).toBeCloseTo(bicubic, 1);
});

it("evaluate says what an estimated kernel costs against the true one", { timeout: 120_000 }, async () => {
  const common = ["evaluate", "--model", model, "--images", photos, "--updates", "1", "--backend", "simd", "--json"];
  const scores = async (...args: string[]) => JSON.parse((await mzsr([...common, ...args])).out);
  const auto = await scores("--kernel", "g2.0", "--adapt-with", "auto");
  const known = await scores("--kernel", "g2.0");
  expect(auto).toMatchObject({ kernel: "g2.0", adapt_with: "auto" });
  for (const [i, image] of auto.images.entries()) {
    expect(image.psnr_y_true_kernel).toBe(known.images[i].psnr_y[1]);
    expect(image.loss_db).toBeCloseTo(image.psnr_y_true_kernel - image.psnr_y[1], 10);
    expect(image.estimate.uncertainty).toBeGreaterThan(0);
  }
  const itself = await scores("--kernel", "g2.0", "--adapt-with", "g2.0");
  expect(itself.images.map(({ loss_db }: { loss_db: number }) => loss_db)).toEqual([0, 0]);
});

it("evaluate prints a table for people, and g1.3 is downsampled as in the paper", { timeout: 120_000 }, async () => {
  const args = ["evaluate", "--model", model, "--images", photos, "--kernel", "g1.3", "--updates", "0"];
  const { out, notes } = await mzsr([...args, "--backend", "simd"]);
  expect(notes).toContain("kernel g1.3 bicubic ×2, backend simd");
  const lines = out.trimEnd().split("\n");
  expect(lines.map((line) => line.split(/\s{2,}/)[0])).toEqual(["PSNR-Y (dB) / SSIM-Y", "one.png", "two.png", "mean"]);
  expect(lines[0]).toMatch(/bicubic {2,}before adaptation$/);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});

it("upscale writes an image of twice the size", { timeout: 120_000 }, async () => {
  const output = join(folder, "large.png");
  const args = ["upscale", join(photos, "one.png"), "--model", model, "--kernel", "gauss:1,1,0", "--updates", "0"];
  const { code, out } = await mzsr([...args, "-o", output, "--json", "--backend", "simd"]);
  expect([code, JSON.parse(out)]).toEqual([
    0,
    expect.objectContaining({ output, width: 240, height: 192, losses: [] }),
  ]);
  const [large, photo] = [await readImage(output), await readImage(join(photos, "one.png"))];
  // Nothing is added by this model: what is left is bicubic interpolation.
  expect(psnrY(imresize(photo, 2), large, 2)).toBeGreaterThan(50);
});

it("upscale takes any scale that a model was trained for, and names them for another", {
  timeout: 120_000,
}, async () => {
  const several = join(folder, "several.safetensors");
  await writeModel(several, { ...(await readModel(model)), scales: [2, 3] });
  const args = ["upscale", join(photos, "one.png"), "--model", several, "--kernel", "gauss:1,1,0", "--updates", "1"];
  const enlarged = async (...more: string[]) => {
    const output = join(folder, `by-${more.at(-1)}.png`);
    const { code, out, notes } = await mzsr([...args, "-o", output, "--json", ...more]);
    return code === 0 ? [code, JSON.parse(out).width] : [code, notes];
  };
  expect(await enlarged("--backend", "simd")).toEqual([0, 240]);
  expect(await enlarged("--scale", "3")).toEqual([0, 360]);
  expect(await enlarged("--scale", "4")).toEqual([2, expect.stringContaining("enlarges 2 or 3 times")]);
});

it("no command replaces its input, nor another file unless told to", { timeout: 120_000 }, async () => {
  const photo = join(photos, "one.png");
  const before = await readFile(photo);
  const upscale = ["upscale", photo, "--model", model, "--kernel", "g2.0"];
  const toModel = join(folder, "run-with-model");
  await mkdir(toModel);
  await writeModel(join(toModel, "model.safetensors"), await readModel(model));
  // A matrix of a file is named after a colon; the file is the input.
  const kernel = join(folder, "two.mat");
  await copyFile(fileURLToPath(new URL("../../../../test/fixtures/kernels/scipy-two.mat", import.meta.url)), kernel);
  const toKernel = join(folder, "to-kernel.png");
  await symlink(kernel, toKernel);
  for (const args of [
    [...upscale, "-o", photo, "--force"],
    ["upscale", photo, "--model", model, "--kernel", `${kernel}:a`, "-o", toKernel, "--force"],
    ["export", "--model", toModel, "-o", join(toModel, "model.safetensors"), "--force"],
  ]) {
    const { code, notes } = await mzsr(args);
    expect([code, notes]).toEqual([2, expect.stringMatching(/is the same file as the input .*never replaced\n$/)]);
  }
  expect((await readFile(photo)).equals(before)).toBe(true);
  const other = join(folder, "other.png");
  await writeFile(other, "old");
  const refused = await mzsr([...upscale, "-o", other]);
  expect([refused.code, refused.notes]).toEqual([2, expect.stringContaining("exists already")]);
  expect(await readFile(other, "utf8")).toBe("old");
  const told = await mzsr([...upscale, "-o", other, "--force", "--updates", "0", "--backend", "simd"]);
  expect([told.code, (await readImage(other)).width]).toEqual([0, 240]);
});

it("export writes ONNX and safetensors", async () => {
  for (const [name, beginning] of [
    ["net.onnx", 8],
    ["net.safetensors", 0],
  ] as const) {
    const output = join(folder, name);
    const { code, out } = await mzsr(["export", "--model", model, "-o", output, "--json"]);
    const bytes = await readFile(output);
    expect([code, JSON.parse(out)]).toEqual([0, { output, bytes: bytes.length }]);
    if (beginning > 0) expect(bytes[0]).toBe(beginning);
    else expect(bytes.toString("latin1")).toContain('"conv2.weight":{"dtype":"F32","shape":[3,4,3,3]');
  }
});

it("upscale says how far a kernel is off its centre, and centres it when told", { timeout: 120_000 }, async () => {
  const photo = join(photos, (await listImages(photos))[0]!);
  const kernel = fileURLToPath(new URL("../../../../test/fixtures/kernels/off-centre.mat", import.meta.url));
  const upscale = (output: string, ...more: string[]) =>
    mzsr([
      ...["upscale", photo, "--model", model, "--kernel", kernel, "--updates", "1", "--backend", "cpu"],
      ...["-o", join(folder, output), ...more],
    ]);
  const asItIs = await upscale("off.png");
  expect(asItIs).toMatchObject({ code: 0 });
  expect(asItIs.notes).toMatch(/2\.00 pixels to the right and 3\.00 pixels below its middle.*--center-kernel/);
  const centred = await upscale("centred.png", "--center-kernel");
  expect(centred).toMatchObject({ code: 0 });
  expect(centred.notes).toMatch(/2\.00 pixels to the right and 3\.00 pixels below its middle; moved into the middle/);
  for (const command of ["upscale", "evaluate"]) {
    const { out } = await mzsr([command, "--help"]);
    expect(out).toMatch(/correlated with the large image, not convolved/);
    expect(out).toMatch(/The middle weight[\s\S]*even side[\s\S]*--center-kernel/);
  }
});

it("upscale reads a photo in spite of a harmless defect, and says so", { timeout: 120_000 }, async () => {
  const photo = fileURLToPath(new URL("../../../../test/fixtures/images/sos.jpg", import.meta.url));
  const args = ["upscale", photo, "--model", model, "--kernel", "g2.0", "--updates", "0", "--backend", "cpu"];
  const { code, notes } = await mzsr([...args, "-o", join(folder, "sos.png")]);
  expect(notes).toMatch(/sos\.jpg: read in spite of a defect of the file \(VipsJpeg: Invalid SOS parameters/);
  expect(code).toBe(0);
});
