import "@mzsr/tfjs-backend-simd";
import "@tensorflow/tfjs-backend-cpu";
import { Draws, initialParameters, metaGradient, minibatchGradient } from "@mzsr/mzsr";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { type EngineOptions, MetaGradientEngine } from "./engine.js";
import { MinibatchEngine } from "./minibatch-engine.js";
import { planMemory } from "./plan/memory.js";
import type { TaskShape } from "./plan/meta-plan.js";
import { type GoldenTask, goldenTasks, relativeL2, varied } from "./testing/golden-tasks.js";
import { describeOnGpu } from "./testing/test-device.js";

const golden = goldenTasks();
const small = golden.find(({ shape }) => shape.learnedRates)!;

describeOnGpu("the engine", (device) => {
  async function withEngine<T>(
    shape: TaskShape,
    options: EngineOptions,
    use: (engine: MetaGradientEngine) => Promise<T>,
  ): Promise<T> {
    const engine = await MetaGradientEngine.create(device, shape, options);
    try {
      return await use(engine);
    } finally {
      engine.destroy();
    }
  }

  it.each([
    ...golden.map((task) => [task.name, task, "direct"] as const),
    ...[golden[0]!, small].map((task) => [`${task.name}, by Winograd's convolution`, task, "winograd"] as const),
  ])("computes the reference's meta-gradient: %s", async (_, each, convolutions) => {
    const options = { tasks: 1, convolutions };
    const result = await withEngine(each.shape, options, async (engine) => (await engine.run([each.task]))[0]!);
    expectTensors(result.gradient, each);
    if (each.supportLosses) expect(relativeL2(result.supportLosses, each.supportLosses)).toBeLessThan(1e-5);
    if (each.queryLosses) expect(relativeL2(result.queryLosses.slice(1), each.queryLosses)).toBeLessThan(1e-5);
    expect(result.outerLoss).toBeCloseTo(each.outerLoss, 5);
  });

  describe(small.name, () => {
    const tasks = [1, 2, 3].map((by) => varied(small.task, by));

    it.each(["direct", "winograd"] as const)(
      "gives each task of a batch the bits that it has alone, in any batch, any time (%s)",
      async (convolutions) => {
        await withEngine(small.shape, { tasks: 3, convolutions }, async (engine) => {
          const alone = [];
          for (const task of tasks) alone.push((await engine.run([task]))[0]);
          expect(await engine.run(tasks)).toEqual(alone);
          expect(await engine.run([...tasks].reverse())).toEqual([...alone].reverse());
          const { theta } = tasks[0]!;
          const ofOneTheta = tasks.map((task) => ({ ...task, theta }));
          const copied = tasks.map((task) => ({ ...task, theta: theta.slice() }));
          expect(await engine.run(ofOneTheta)).toEqual(await engine.run(copied));
        });
      },
    );

    it("computes a batch while the next is uploaded, and never mixes them", async () => {
      await withEngine(small.shape, { tasks: 2 }, async (engine) => {
        const apart = [];
        for (const task of tasks) apart.push(await engine.run([task]));
        const together = await Promise.all(tasks.map((task) => engine.run([task])));
        expect(together).toEqual(apart);
      });
    });

    it("gives the same bits when there is memory for little only", async () => {
      const roomy = await withEngine(small.shape, { tasks: 3 }, (engine) => {
        expect(engine.memory).toMatchObject({ keptSteps: 3, queriesAtOnce: 4 });
        return engine.run(tasks);
      });
      const one = planMemory(small.shape, { tasks: 1, limits: device.description.limits });
      await withEngine(small.shape, { tasks: 1, memoryBytes: 0.7 * one.bytes }, async (engine) => {
        expect(engine.memory.keptSteps + engine.memory.queriesAtOnce).toBeLessThan(7);
        const results = [];
        for (const task of tasks) results.push((await engine.run([task]))[0]);
        expect(results).toEqual(roomy);
      });
    });

    it("reports what the core reports where a weight is 0 and the first query loss is not wanted", async () => {
      await tf.setBackend("cpu");
      const shape = { ...small.shape, reportInitialQueryLoss: false };
      for (const stepWeights of [
        [0, 1, 0],
        [0.5, 0, 0.5],
      ]) {
        const task = { ...small.task, stepWeights };
        const core = await metaGradient({ ...shape, ...task, innerRate: 0, stepWeights });
        const [result] = await withEngine(shape, { tasks: 1 }, (engine) => engine.run([task]));
        expect(result!.queryLosses.map(Number.isNaN)).toEqual(core.queryLosses.map(Number.isNaN));
        expect(relativeL2(result!.gradient, core.gradient)).toBeLessThan(1e-5);
        expect(result!.outerLoss).toBeCloseTo(core.outerLoss, 5);
      }
    });

    it("refuses tasks that it was not made for, saying what was expected", async () => {
      await withEngine(small.shape, { tasks: 1 }, async (engine) => {
        const { task } = small;
        await expect(engine.run([])).rejects.toThrow("a batch of 0 tasks; expected 1 to 1");
        await expect(engine.run([task, task])).rejects.toThrow("a batch of 2 tasks; expected 1 to 1");
        await expect(engine.run([{ ...task, theta: task.theta.subarray(1) }])).rejects.toThrow(
          /theta has \d+ elements/,
        );
        const shape = [2, 8, 11, 3] as const;
        const odd = { ...task, query: { ...task.query, shape } };
        await expect(engine.run([odd])).rejects.toThrow("query has the shape 2 × 8 × 11 × 3; expected 2 × 8 × 10 × 3");
      });
    });
  });

  it("computes a wide network on patches that no tile divides as the core does", async () => {
    const architecture = { depth: 3, width: 64 };
    const patches = { patches: 1, height: 40, width: 40 };
    const draws = new Draws(2, [1, 2, 3]);
    const image = () => Float32Array.from({ length: 40 * 40 * 3 }, () => draws.uniform(0, 1));
    const pairs = () => ({ shape: [1, 40, 40, 3] as const, x: image(), y: image() });
    const shape = {
      architecture,
      support: patches,
      query: patches,
      innerSteps: 1,
      order: 2,
      learnedRates: false,
    } as const;
    const theta = initialParameters(architecture, draws);
    const task = { theta, innerRate: 0.01, stepWeights: [1], support: pairs(), query: pairs() };
    const [result] = await withEngine(shape, { tasks: 1 }, (engine) => engine.run([task]));
    await tf.setBackend("simd");
    const core = await metaGradient({ ...shape, ...task });
    expect(relativeL2(result!.gradient, core.gradient)).toBeLessThan(1e-5);
    expect(result!.outerLoss).toBeCloseTo(core.outerLoss, 5);
  });

  it("computes pretraining's gradient as the core does, for several minibatches at once", async () => {
    await tf.setBackend("cpu");
    const { architecture, support: patches } = small.shape;
    const size = small.gradient.slice(0, -1).flat().length;
    const tasks = [1, 2].map((by) => {
      const { theta, support } = varied(small.task, by);
      return { parameters: theta.slice(0, size), pairs: support };
    });
    const engine = await MinibatchEngine.create(device, { architecture, patches }, { tasks: 2 });
    const results = await engine.run(tasks);
    for (const [k, { parameters, pairs }] of tasks.entries()) {
      const core = await minibatchGradient(architecture, parameters, pairs);
      expect(relativeL2(results[k]!.gradient, core.gradient)).toBeLessThan(1e-5);
      expect(results[k]!.loss).toBeCloseTo(core.loss, 5);
      expect(await engine.run([tasks[k]!])).toEqual([results[k]]);
    }
    engine.destroy();
  });
});

function expectTensors(gradient: Float32Array, { gradient: expected }: GoldenTask): void {
  let offset = 0;
  for (const tensor of expected) {
    expect(relativeL2(gradient.subarray(offset, offset + tensor.length), tensor)).toBeLessThan(1e-4);
    offset += tensor.length;
  }
  expect(gradient).toHaveLength(offset);
}
