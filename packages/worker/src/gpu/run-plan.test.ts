import { configurationSchema, presets } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { UNKNOWN_GPU_BYTES } from "./gpu-memory.js";
import { MOST_TASKS, planRun } from "./run-plan.js";

const limits = { bufferBytes: 2 ** 31, bindingBytes: 2 ** 31 };
const paper = configurationSchema.parse({});
const GIBIBYTE = 2 ** 30;

describe("a run on a GPU", () => {
  it("takes as many tasks at a time as the memory does for", () => {
    const { slots, stages, line } = planRun(paper, { tasks: 32, memoryBytes: 2 * GIBIBYTE, limits });
    expect(slots).toBeGreaterThan(1);
    expect(slots).toBeLessThan(32);
    expect(stages.metaTraining.tasks).toBe(slots);
    expect(line).toMatch(
      /^pretraining: up to \d+ tasks a batch; meta-training: up to \d+ tasks a batch at \d+ MB each/,
    );
    expect(planRun(paper, { tasks: 32, memoryBytes: 80 * GIBIBYTE, limits }).slots).toBe(32);
    expect(planRun(paper, { tasks: 3, memoryBytes: 80 * GIBIBYTE, limits }).slots).toBe(3);
  });

  it("of the preset gpu has room for two steps, one that computes and one that is on its way, on any card", () => {
    const configuration = configurationSchema.parse(presets.gpu);
    const { metaTraining, cluster } = configuration;
    const { slots } = planRun(configuration, { tasks: MOST_TASKS, memoryBytes: UNKNOWN_GPU_BYTES, limits });
    expect(cluster.pipeline).toBe(1);
    expect(slots).toBe(2 * metaTraining.tasks);
  });

  it("has the shapes of the tasks that the coordinator draws", () => {
    const { stages } = planRun(paper, { tasks: 1, memoryBytes: GIBIBYTE, limits });
    expect(stages.pretraining.shape).toEqual({
      architecture: { depth: 8, width: 64 },
      patches: { patches: 8, height: 96, width: 96 },
    });
    expect(stages.metaTraining.shape).toMatchObject({
      support: { patches: 8, height: 64, width: 64 },
      innerSteps: 5,
      order: 2,
    });
  });

  it("is refused where not even one task fits, unless the run has none of that kind", () => {
    const options = { tasks: 32, memoryBytes: GIBIBYTE / 4, limits };
    expect(() => planRun(paper, options)).toThrow(/of GPU memory.*fewer or smaller patches/);
    const noPretraining = { ...paper, pretraining: { ...paper.pretraining, patchSize: 512, steps: 0 } };
    expect(planRun(noPretraining, { ...options, memoryBytes: GIBIBYTE }).slots).toBeGreaterThan(0);
  });
});
