/** A task and a report with hardly a field at its default, for tests of what travels. */
import type { Task, TaskReport } from "@mzsr/shared";

export const sampleTask: Task = {
  stage: "metaTraining",
  step: 70_000,
  index: 4,
  parametersStep: 69_998,
  scale: 3,
  downsampling: "bicubic",
  noiseSigma: 0.0125,
  noiseSeed: Number.MAX_SAFE_INTEGER,
  patchSize: 48,
  supportFrom: "low",
  support: [{ image: 0, y: 0, x: 32, transform: 7, kernel: 0 }],
  query: [{ image: 12, y: 1024, x: 0, transform: 0, kernel: 0 }],
  kernels: [{ size: 3, data: Float64Array.of(0, 0.1, 0, 0.1, 0.6, 0.1, 0, 0.1, 0) }],
  stepWeights: [0.25, 0.75],
};

export const sampleReport: TaskReport = {
  stage: "pretraining",
  step: 0,
  index: 0,
  supportLosses: [0.1],
  queryLosses: [],
  dataSeconds: 0.5,
  computeSeconds: 0,
};
