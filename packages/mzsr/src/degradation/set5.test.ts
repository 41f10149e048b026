import { join } from "node:path";
import { EXTERNAL_DATA_NOTE, externalData } from "@mzsr/testing/external-data";
import { describe, expect, test } from "vitest";
import { type Image, modCrop, toBytes } from "../imaging/image.js";
import { listImages, readImage } from "../imaging/image-file.js";
import { psnrY } from "../imaging/quality.js";
import { degrade, interpolateLow } from "./degrade.js";
import { PAPER_KERNELS } from "./kernel.js";
import { type LoadedKernel, loadKernel } from "./kernel-source.js";

const SCALE = 2;

describe.skipIf(externalData === undefined)(`Set5 ${EXTERNAL_DATA_NOTE}`, () => {
  const set5 = join(externalData ?? "", "set5");
  const names = () => listImages(join(set5, "hr"));

  test("HR images and the published kernel give the published LR images, but for one grey level in one", async () => {
    const kernel = await loadKernel(join(set5, "kernel_g2.0.mat"));
    expect(kernel).toMatchObject({ size: 21, notes: [] });
    const differing: number[] = [];
    for (const name of await names()) {
      const hr = await readImage(join(set5, "hr", name));
      const low = toBytes(degrade(hr, { kernel, scale: SCALE, downsampling: "direct" }));
      const published = toBytes(await readImage(join(set5, "lr_g2.0_x2", name)));
      const steps = low.map((level, i) => Math.abs(level - published[i]!));
      expect(low.length).toBe(published.length);
      differing.push(steps.reduce((sum, step) => sum + step, 0));
    }
    expect(differing.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 1]);
  });

  test.each([
    ["g2.0", 28.73],
    ["g0.2", 30.24],
    ["gani", 28.15],
    ["g1.3", 30.54],
  ] as const)("bicubic interpolation reaches the paper's PSNR with %s: %d dB", async (name, published) => {
    const kernel = await loadKernel(name);
    const values: number[] = [];
    for (const file of await names()) values.push(bicubicPsnr(await readImage(join(set5, "hr", file)), name, kernel));
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(average.toFixed(2)).toBe(published.toFixed(2));
  });
});

function bicubicPsnr(photo: Image, name: keyof typeof PAPER_KERNELS, kernel: LoadedKernel): number {
  const hr = modCrop(photo, SCALE);
  const low = degrade(hr, { kernel, scale: SCALE, downsampling: PAPER_KERNELS[name].downsampling });
  const stored = { ...low, data: Float32Array.from(toBytes(low), (level) => level / 255) };
  return psnrY(hr, interpolateLow(stored, SCALE, [hr.height, hr.width]), SCALE);
}
