/** Photos on the backend webgpu, on a GPU or on a driver that stands in for one, beside `simd`. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Measurement, Preview, PreviewProblem, ValidationProblem } from "@mzsr/coordinator";
import {
  createImage,
  Draws,
  encodePng,
  gaussianKernel,
  type Image,
  initialParameters,
  readImage,
  writeModel,
} from "@mzsr/mzsr";
import { mzsr } from "@mzsr/testing/run-command";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { SOFTWARE_TOO } from "../../packages/cli/src/low-priority/photo-computing.js";
import { ProcessComputer } from "../../packages/cli/src/low-priority/process-computer.js";
import { describeOnGpu } from "../../packages/engine-webgpu/src/testing/test-device.js";

const folder = sharedFolder();
const [photo, model] = [join(folder, "photos", "photo.png"), join(folder, "model.safetensors")];
const architecture = { depth: 3, width: 6 };
const network = {
  ...{ architecture, scale: 2, innerRates: undefined, metadata: {} },
  // Small, so that the result is a photo; large enough that the network is what makes it.
  parameters: initialParameters(architecture, new Draws(1, [9, 9, 9])).map((value) => value / 2),
};

function picture(height: number, width: number): Image {
  const image = createImage(height, width, 3);
  const draws = new Draws(5, [0, 0, 0]);
  for (let i = 0; i < image.data.length; i++) image.data[i] = 0.5 + 0.3 * Math.sin(i / 19) + draws.uniform(-0.1, 0.1);
  return image;
}

beforeAll(async () => {
  await mkdir(join(folder, "photos"));
  await writeFile(photo, await encodePng(picture(64, 72)));
  await writeModel(model, network);
});

async function largestLevelsApart(one: string, other: string): Promise<number> {
  const [a, b] = await Promise.all([readImage(one), readImage(other)]);
  expect([a.height, a.width]).toEqual([b.height, b.width]);
  return Math.round(255 * a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0));
}

/** The report of `mzsr upscale` and where the result is. */
async function upscaled(name: string, backend: string, ...args: string[]) {
  const output = join(folder, `${name}.png`);
  const given = ["--model", model, "--kernel", "g1.3", "--backend", backend, "-o", output, "--json", ...args];
  const { code, out, notes } = await mzsr(["upscale", photo, ...given]);
  expect([code, notes]).toEqual([0, expect.stringContaining(`backend ${backend}`)]);
  return { output, report: JSON.parse(out) as { backend: string; losses: number[]; loss_after: number } };
}

describeOnGpu("on webgpu", () => {
  it("upscale gives the pixels of simd, and the same file each time", async () => {
    const args = ["--updates", "3", "--back-projection", "1"];
    const simd = await upscaled("simd", "simd", ...args);
    const webgpu = await upscaled("webgpu", "webgpu", ...args);
    const again = await upscaled("again", "webgpu", ...args);
    expect(webgpu.report.backend).toBe("webgpu");
    expect(await largestLevelsApart(webgpu.output, simd.output)).toBeLessThanOrEqual(1);
    expect(await readFile(again.output)).toEqual(await readFile(webgpu.output));
    const losses = ({ report }: typeof simd) => [...report.losses, report.loss_after];
    for (const [i, loss] of losses(simd).entries()) expect(losses(webgpu)[i]).toBeCloseTo(loss, 4);
  });

  it("photos are given the GPU that is asked for, or are told which there are", async () => {
    await upscaled("first", "webgpu", "--updates", "1", "--device", "0", "--gpu-memory", "1");
    const images = ["--images", join(folder, "photos")];
    for (const command of [
      ["upscale", photo, "--model", model, "-o", join(folder, "none.png")],
      ["evaluate", ...images, "--model", model, "--kernel", "g1.3"],
      ["benchmark", ...images, "--models", model, "--kernels", "g1.3"],
    ]) {
      const { code, notes } = await mzsr([...command, "--backend", "webgpu", "--device", "200"]);
      expect([code, notes]).toEqual([
        2,
        expect.stringMatching(/there is no device 200: one of those found.*\n {2}0: /s),
      ]);
    }
  });

  it("upscale trains ZSSR's network", async () => {
    const args = ["--method", "zssr", "--updates", "5"];
    const simd = await upscaled("zssr-simd", "simd", ...args);
    const webgpu = await upscaled("zssr-webgpu", "webgpu", ...args);
    expect(await largestLevelsApart(webgpu.output, simd.output)).toBeLessThanOrEqual(1);
  });

  it("evaluate and benchmark measure what simd measures, to a hundredth of a decibel", async () => {
    const given = ["--images", join(folder, "photos"), "--json"];
    const evaluated = async (backend: string) => {
      const args = ["--model", model, "--kernel", "g1.3", "--updates", "0,3", "--backend", backend];
      const { code, out } = await mzsr(["evaluate", ...given, ...args]);
      expect(code).toBe(0);
      return JSON.parse(out) as { backend: string; psnr_y: Record<string, number> };
    };
    const measured = async (backend: string) => {
      const args = ["--models", model, "--methods", "before,mzsr:1", "--kernels", "g1.3", "--backend", backend];
      const { code, out } = await mzsr(["benchmark", ...given, ...args]);
      expect(code).toBe(0);
      const { rows } = JSON.parse(out) as { rows: { methods: { psnr_y: number }[] }[] };
      return rows.flatMap(({ methods }) => methods.map(({ psnr_y }) => psnr_y));
    };
    const [simd, webgpu] = [await evaluated("simd"), await evaluated("webgpu")];
    expect(webgpu.backend).toBe("webgpu");
    for (const [method, psnr] of Object.entries(simd.psnr_y)) expect(webgpu.psnr_y[method]).toBeCloseTo(psnr, 2);
    const [onSimd, onGpu] = [await measured("simd"), await measured("webgpu")];
    expect(onGpu).toHaveLength(2);
    for (const [i, psnr] of onSimd.entries()) expect(onGpu[i]).toBeCloseTo(psnr, 2);
  });

  it("a run's previews and validations are computed on the GPU, near those of simd", async () => {
    const kernel = { ...gaussianKernel({ lambda1: 2, lambda2: 1, theta: 0 }), name: "g" };
    const degradation = { kernel, downsampling: "direct" as const, scale: 2 };
    const preview = await onBoth<PreviewProblem, Preview>("previews/preview-process.js", {
      ...{ model: network, lr: picture(24, 24), degradation, updates: 2 },
    });
    for (const image of ["before", "adapted"] as const) {
      const [simd, webgpu] = [preview.simd[image].data, preview.webgpu[image].data];
      // Other bits tell that it was not simd.
      expect(webgpu).not.toEqual(simd);
      for (const [i, value] of simd.entries()) expect(Math.abs(webgpu[i]! - value)).toBeLessThan(1e-4);
    }
    const validation = await onBoth<ValidationProblem, Measurement>("validation/validation-process.js", {
      ...{ model: network, image: photo, side: 48, updates: [0, 2] },
      kernel: { name: "g", kernel, downsampling: "direct" },
    });
    for (const [i, psnr] of validation.simd.psnr.entries()) expect(validation.webgpu.psnr[i]).toBeCloseTo(psnr, 2);
  });
});

/** A problem that a coordinator gives to a process of its own, for runs of both backends. */
async function onBoth<Problem, Result>(entry: string, problem: Problem) {
  const resultOf = (backend: string): Promise<Result> => {
    const url = new URL(`../../packages/cli/dist/${entry}`, import.meta.url);
    const computer = new ProcessComputer<Problem, Result>(url, entry, [backend, SOFTWARE_TOO]);
    // So that a busy machine holds no test up.
    computer.hurry();
    onTestFinished(() => computer.close());
    return computer.compute(problem);
  };
  return { simd: await resultOf("simd"), webgpu: await resultOf("webgpu") };
}
