/** A whole worker on the backend webgpu, on a GPU or on a driver that stands in for one, beside one on a CPU backend. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { drawTask, loadDataset, RunSchedule } from "@mzsr/coordinator";
import { createImage, Draws, encodePng, initialParameters } from "@mzsr/mzsr";
import { configurationSchema, floatsFromBytes } from "@mzsr/shared";
import { FakeCoordinator } from "@mzsr/testing/fake-coordinator";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { startWorker, type WorkerOptions } from "@mzsr/worker";
import { pino } from "pino";
import { expect, it } from "vitest";
import { relativeL2 } from "../../packages/engine-webgpu/src/testing/golden-tasks.js";
import { describeOnGpu } from "../../packages/engine-webgpu/src/testing/test-device.js";

const settings = {
  model: { depth: 2, width: 4 },
  degradation: { kernelSize: 5 },
  patches: { stride: 8 },
  pretraining: { steps: 4, batch: 8, tasks: 4, patchSize: 16 },
  metaTraining: { steps: 4, tasks: 4, support: 2, query: 2, patchSize: 16, innerSteps: 2, learnedRates: true },
};

/** Gradients of four tasks of a pretraining step and of a meta-step, as such a worker computes them. */
async function gradientsOf(given: typeof settings, options: Partial<WorkerOptions>) {
  const configuration = configurationSchema.parse(given);
  const schedule = new RunSchedule(configuration);
  const { model, metaTraining } = configuration;
  const rates = metaTraining.learnedRates ? metaTraining : undefined;
  const theta = initialParameters(model, new Draws(1, [9, 9, 9]), rates);
  const folder = await temporaryFolder();
  const values = Float32Array.from({ length: 40 * 48 * 3 }, (_, i) => (((i * 7919) % 251) + (i % 97)) / 400);
  const file = { name: "1.png", content: await encodePng(createImage(40, 48, 3, values)) };
  await writeFile(join(folder, file.name), file.content);
  const { positions } = await loadDataset([join(folder, file.name)], configuration);
  const coordinator = await new FakeCoordinator([{ ...file, sent: file.content }]).listen(0);
  const worker = await startWorker({
    ...{ coordinator: coordinator.address, backend: "webgpu", cacheDir: folder },
    logger: pino({ level: "silent" }),
    ...options,
  });
  try {
    const session = await coordinator.welcome(given);
    const gradients: Float32Array[] = [];
    for (const step of [0, 4]) {
      const stage = step < 4 ? "pretraining" : "metaTraining";
      session.send({ type: "parameters", stage, step, theta });
      const leases = [0, 1, 2, 3].map((index) => ({
        id: `${step}/${index}`,
        task: drawTask(schedule, positions, step, index),
        groupable: false,
      }));
      session.send({ type: "assign", leases });
      for (const { id } of leases) {
        const { gradient } = await session.next("result", ({ lease }) => lease === id);
        gradients.push(floatsFromBytes(gradient, "gradient"));
      }
    }
    return gradients;
  } finally {
    worker.drain("the test is over");
    await worker.finished;
    coordinator.kill();
  }
}

describeOnGpu("a worker on webgpu", () => {
  it("offers what may fit, and where the run's tasks need more, leaves and joins again with as many as do", async () => {
    const large = {
      ...settings,
      model: { depth: 4, width: 16 },
      metaTraining: { ...settings.metaTraining, patchSize: 48 },
    };
    const coordinator = await new FakeCoordinator().listen(0);
    const worker = await startWorker({
      ...{ coordinator: coordinator.address, backend: "webgpu", cacheDir: await temporaryFolder() },
      ...{ gpuMemoryBytes: 20e6, logger: pino({ level: "silent" }) },
    });
    try {
      const first = await coordinator.welcome(large);
      expect((await first.next("hello")).slots).toBe(32);
      expect((await first.next("goodbye")).reason).toMatch(/^joins again with \d+ slots$/);
      const second = await coordinator.welcome(large);
      const { slots, incarnation } = await second.next("hello");
      expect(slots).toBeGreaterThan(1);
      expect(slots).toBeLessThan(32);
      expect(incarnation).toBe((await first.next("hello")).incarnation);
      // It is content with that: at the end of the run it is over, and does not join a third time.
      second.send({ type: "drain", reason: "the run is finished", finished: true });
      expect(await worker.finished).toEqual({ reason: "the run is finished", ok: true });
    } finally {
      worker.drain("at once");
      await worker.finished;
      coordinator.kill();
    }
  });

  it.each([
    ["second order, learned rates", settings],
    ["first order", { ...settings, metaTraining: { ...settings.metaTraining, order: "first", learnedRates: false } }],
  ])("gives the same bits one by one and all at once, near those of a CPU backend: %s", async (_, given) => {
    const configuration = given as typeof settings;
    const atOnce = await gradientsOf(configuration, {});
    const oneByOne = await gradientsOf(configuration, { slots: 1 });
    expect(oneByOne).toEqual(atOnce);
    const onCpu = await gradientsOf(configuration, { backend: "simd", slots: 1 });
    for (const [i, gradient] of onCpu.entries()) expect(relativeL2(atOnce[i]!, gradient)).toBeLessThan(1e-4);
  });
});
