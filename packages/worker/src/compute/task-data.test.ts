import { createHash } from "node:crypto";
import {
  createImage,
  cropImage,
  degrade,
  gaussianKernel,
  type Image,
  imresize,
  interpolateLow,
  transformImage,
} from "@mzsr/mzsr";
import { floatsToBytes, type Task } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { taskCrops, taskData } from "./task-data.js";

/** A picture of waves that has a direction, so that a wrong turn shows. */
function waves(image: number): Image {
  const data = Float32Array.from({ length: 64 * 80 * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 240), Math.floor(i / 3) % 80, i % 3];
    return ((y * (3 + image) + x * (7 + c) + ((x * y) % 13)) % 29) / 28;
  });
  return createImage(64, 80, 3, data);
}

const read = (image: number, y: number, x: number, side: number) => cropImage(waves(image), y, x, side, side);
const dataOf = (some: Task) => taskData(some, taskCrops(some, read));
const kernel = gaussianKernel({ lambda1: 3, lambda2: 0.5, theta: 0.7 });
const task: Task = {
  stage: "metaTraining",
  step: 0,
  index: 0,
  parametersStep: 0,
  scale: 2,
  downsampling: "direct",
  noiseSigma: 0,
  noiseSeed: 77,
  patchSize: 32,
  supportFrom: "high",
  support: [
    { image: 0, y: 0, x: 48, transform: 5, kernel: 0 },
    { image: 1, y: 32, x: 3, transform: 0, kernel: 0 },
  ],
  query: [{ image: 0, y: 16, x: 16, transform: 3, kernel: 0 }],
  kernels: [kernel],
  stepWeights: [1],
};
const VALUES = 32 * 32 * 3;

describe("a task's data", () => {
  it("are turned crops, and the ILR images of just those crops", () => {
    const { support, query } = dataOf(task);
    expect([support.shape, query.shape]).toEqual([
      [2, 32, 32, 3],
      [1, 32, 32, 3],
    ]);
    const high = transformImage(cropImage(waves(0), 0, 48, 32, 32), 5);
    expect(support.y.subarray(0, VALUES)).toEqual(high.data);
    const low = degrade(high, { kernel, scale: 2, downsampling: "direct" });
    expect(support.x.subarray(0, VALUES)).toEqual(interpolateLow(low, 2, [32, 32]).data);
    expect(support.y.subarray(VALUES)).toEqual(cropImage(waves(1), 32, 3, 32, 32).data);
    expect(query.y).toEqual(transformImage(cropImage(waves(0), 16, 16, 32, 32), 3).data);
  });

  it("have LR images for support patches where the task says so, degraded once more", () => {
    const corner = { image: 0, y: 0, x: 16, transform: 5, kernel: 0 };
    const { support, query } = dataOf({ ...task, supportFrom: "low", support: [corner] });
    const photo = transformImage(cropImage(waves(0), 0, 16, 64, 64), 5);
    const low = degrade(photo, { kernel, scale: 2, downsampling: "direct" });
    expect(support.y).toEqual(low.data);
    const lower = degrade(low, { kernel, scale: 2, downsampling: "direct" });
    expect(support.x).toEqual(interpolateLow(lower, 2, [32, 32]).data);
    expect(query.y).toEqual(transformImage(cropImage(waves(0), 16, 16, 32, 32), 3).data);
  });

  it("without kernels are bicubic pairs", () => {
    const pretraining: Task = { ...task, stage: "pretraining", downsampling: "bicubic", kernels: [], query: [] };
    const { support, query } = dataOf(pretraining);
    const high = createImage(32, 32, 3, support.y.slice(0, VALUES));
    expect(support.x.slice(0, VALUES)).toEqual(imresize(imresize(high, 1 / 2), 2, [32, 32]).data);
    expect(query.x.length).toBe(0);
  });

  it("use the kernel that each patch names", () => {
    const sharp = gaussianKernel({ lambda1: 0.1, lambda2: 0.1, theta: 0 });
    const both = {
      ...task,
      kernels: [kernel, sharp],
      support: [0, 1].map((k) => ({ ...task.support[0]!, kernel: k })),
    };
    const { support } = dataOf(both);
    expect(support.x.subarray(0, VALUES)).not.toEqual(support.x.subarray(VALUES));
    expect(support.y.subarray(0, VALUES)).toEqual(support.y.subarray(VALUES));
  });

  it("have noise that differs from patch to patch and repeats with the seed", () => {
    const twice = {
      ...task,
      noiseSigma: 0.1,
      support: [task.support[0]!, task.support[0]!],
      query: [task.support[0]!],
    };
    const { support, query } = dataOf(twice);
    expect(support.x.subarray(0, VALUES)).not.toEqual(support.x.subarray(VALUES));
    expect(support.x.subarray(0, VALUES)).not.toEqual(query.x);
    expect(dataOf(twice).support.x).toEqual(support.x);
  });

  it("are not made when a crop is missing", () => {
    expect(() => taskData(task, taskCrops(task, read).slice(0, 2))).toThrow(/patch 2 came without its crop/);
  });

  it("fit any scale, also one that does not divide the patch", () => {
    for (const scale of [2, 3, 4]) {
      for (const downsampling of ["direct", "bicubic"] as const) {
        const { support } = dataOf({ ...task, scale, downsampling });
        expect(support.x.length).toBe(2 * VALUES);
        expect(support.x.every(Number.isFinite)).toBe(true);
      }
    }
  });

  it("of a fixed task are fixed, to the bit", () => {
    const { support, query } = dataOf({ ...task, noiseSigma: 0.02, downsampling: "bicubic" });
    const hash = createHash("sha256");
    for (const values of [support.x, support.y, query.x, query.y]) hash.update(floatsToBytes(values));
    expect(hash.digest("hex").slice(0, 16)).toBe("350e99138277f059");
  });
});
