import { createImage, gaussianKernel } from "@mzsr/mzsr";
import type { Task } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { PreparedData } from "./prepared-data.js";
import { taskData } from "./task-data.js";

const task = {
  stage: "metaTraining",
  scale: 2,
  downsampling: "direct",
  noiseSigma: 0.1,
  noiseSeed: 5,
  patchSize: 16,
  supportFrom: "high",
  support: [{ image: 0, y: 0, x: 0, transform: 3, kernel: 0 }],
  query: [],
  kernels: [gaussianKernel({ lambda1: 2, lambda2: 1, theta: 0 })],
} as unknown as Task;
const crops = [
  createImage(
    16,
    16,
    3,
    Float32Array.from({ length: 768 }, (_, i) => ((i * 37) % 101) / 100),
  ),
];

describe("prepared data", () => {
  it("are the same as those made when the task comes, with the time that making them took", () => {
    let seconds = 0;
    const prepared = new PreparedData(() => seconds++);
    prepared.prepare(7, task, crops);
    const later = prepared.take(task, { crops });
    expect(prepared.take(task, { prepared: 7 })).toEqual(later);
    expect(later).toEqual({ data: taskData(task, crops), seconds: 1 });
  });

  it("are given once, and only the newest two are kept", () => {
    const prepared = new PreparedData(() => 0);
    for (const id of [1, 2, 3]) prepared.prepare(id, task, crops);
    expect(() => prepared.take(task, { prepared: 1 })).toThrow(/nothing was prepared/);
    prepared.take(task, { prepared: 2 });
    expect(() => prepared.take(task, { prepared: 2 })).toThrow(/nothing was prepared/);
  });

  it("that cannot be made say why when they are wanted", () => {
    const prepared = new PreparedData(() => 0);
    prepared.prepare(1, task, []);
    expect(() => prepared.take(task, { prepared: 1 })).toThrow(/patch 0 came without its crop/);
  });
});
