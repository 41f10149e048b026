import { createHash } from "node:crypto";
import { stepWeights } from "@mzsr/mzsr";
import { type Configuration, configurationSchema, coordinatorMessageToProto, type Task } from "@mzsr/shared";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunSchedule } from "../core/schedule.js";
import { drawTask } from "./draw-task.js";
import { type PatchIndex, PatchPositions } from "./patch-positions.js";

const positions = (images: number, side: number) => {
  const made = new PatchPositions();
  for (let image = 0; image < images; image++) {
    made.add(Array.from({ length: 7 + image }, (_, i) => ({ y: i * side, x: image * side })));
  }
  return made;
};
const patches = { pretraining: positions(3, 96), support: positions(5, 64), query: positions(5, 64) };
const configure = (changes: object = {}): Configuration => configurationSchema.parse(changes);
const stages = { pretraining: { steps: 10 }, metaTraining: { steps: 10_000 } };

/** Variances along the axes and the correlation sign, from second moments: an independent look at a kernel. */
function covariance({ size, data }: Task["kernels"][number]) {
  const centre = (size - 1) / 2;
  let [xx, yy, xy] = [0, 0, 0];
  for (const [i, weight] of data.entries()) {
    const [y, x] = [Math.floor(i / size) - centre, (i % size) - centre];
    [xx, yy, xy] = [xx + weight * x * x, yy + weight * y * y, xy + weight * x * y];
  }
  const mean = (xx + yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  return { large: mean + spread, small: mean - spread };
}

describe("any meta-training task", () => {
  const anyTask = fc.record({
    seed: fc.maxSafeNat(),
    scale: fc.integer({ min: 2, max: 4 }),
    metaStep: fc.nat(9_999),
    index: fc.nat(63),
    pipeline: fc.nat(8),
  });

  it("stays in the ranges of the learning problem", () => {
    fc.assert(
      fc.property(anyTask, ({ seed, scale, metaStep, index, pipeline }) => {
        const configuration = configure({
          seed,
          ...stages,
          degradation: { scale, kernelSize: 41 },
          cluster: { pipeline },
        });
        const task = taskOf(configuration, patches, 10 + metaStep, index);
        expect(task).toMatchObject({ stage: "metaTraining", step: 10 + metaStep, index, scale, patchSize: 64 });
        expect(task.parametersStep).toBe(Math.max(10, 10 + metaStep - pipeline));
        expect([task.support.length, task.query.length, task.kernels.length]).toEqual([8, 8, 1]);
        expect(task.stepWeights).toEqual([...stepWeights(metaStep, 5)]);
        expect(Number.isSafeInteger(task.noiseSeed + 16)).toBe(true);
        const kernel = task.kernels[0]!;
        expect(kernel.data.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        const { large, small } = covariance(kernel);
        // A sampled and cut Gaussian's moments differ a little from its parameters.
        expect(large).toBeLessThanOrEqual(2.5 * scale * 1.01);
        expect(small).toBeGreaterThanOrEqual(0.99);
        for (const patch of [...task.support, ...task.query]) {
          expect(patch.kernel).toBe(0);
          expect(patch.transform).toBeGreaterThanOrEqual(0);
          expect(patch.transform).toBeLessThan(8);
          expect(patch.x).toBe(patch.image * 64);
          expect(patch.y).toBeLessThan((7 + patch.image) * 64);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("is the same when drawn again, and another one for another seed, step or index", () => {
    const key = (seed: number, step: number, index: number) =>
      JSON.stringify(onTheWire(taskOf(configure({ seed, ...stages }), patches, step, index)));
    expect(key(1, 50, 3)).toBe(key(1, 50, 3));
    const others = [key(1, 50, 3), key(2, 50, 3), key(1, 51, 3), key(1, 50, 4)];
    expect(new Set(others).size).toBe(4);
  });
});

describe("what is drawn fills its range", () => {
  const draw = (changes: object, count: number) =>
    Array.from({ length: count }, (_, i) => taskOf(configure({ ...stages, ...changes }), patches, 10 + i, 0));

  it("every scale comes up where there are several, each with kernels as wide as it allows; nothing else changes", () => {
    const degradation = { scales: [2, 3, 4], kernelSize: 41 };
    const tasks = draw({ degradation }, 600);
    for (const scale of [2, 3, 4]) {
      const own = tasks.filter((task) => task.scale === scale);
      expect(Math.abs(own.length / tasks.length - 1 / 3)).toBeLessThan(0.06);
      const widest = Math.max(...own.map((task) => covariance(task.kernels[0]!).large));
      expect(widest / (2.5 * scale)).toBeGreaterThan(0.9);
      expect(widest / (2.5 * scale)).toBeLessThan(1.01);
    }
    const one = draw({ degradation: { kernelSize: 41 } }, 600);
    expect(tasks.map(({ support }) => support)).toEqual(one.map(({ support }) => support));
    const twice = tasks.findIndex(({ scale }) => scale === 2);
    expect(tasks[twice]).toEqual(one[twice]);
  });

  it("λ1 reaches both ends of U(λmin, λmax), λ2 both ends of U(λmin, λ1)", () => {
    const degradation = { lambdaMin: 1, lambdaMax: 5, kernelSize: 41 };
    const shapes = draw({ degradation }, 400).map((task) => covariance(task.kernels[0]!));
    const large = shapes.map((shape) => shape.large);
    expect(Math.min(...large)).toBeLessThan(1.1);
    expect(Math.max(...large)).toBeGreaterThan(4.9);
    const mean = large.reduce((sum, value) => sum + value, 0) / large.length;
    expect(Math.abs(mean - 3)).toBeLessThan(0.25);
    const shares = shapes.filter(({ large }) => large > 2).map(({ large, small }) => (small - 1) / (large - 1));
    expect(Math.min(...shares)).toBeLessThan(0.05);
    expect(Math.max(...shares)).toBeGreaterThan(0.95);
  });

  it("mixed downsampling is direct about as often as bicubic", () => {
    const direct = draw({ degradation: { downsampling: "mixed" } }, 400).filter((t) => t.downsampling === "direct");
    expect(direct.length).toBeGreaterThan(150);
    expect(direct.length).toBeLessThan(250);
  });

  it("every image, patch and transform comes up", () => {
    const drawn = draw({}, 300).flatMap((task) => [...task.support, ...task.query]);
    expect(new Set(drawn.map(({ image, y }) => `${image}/${y}`)).size).toBe(patches.query.count);
    expect(new Set(drawn.map(({ transform }) => transform)).size).toBe(8);
  });
});

describe("a pretraining task", () => {
  it("is its share of the minibatch, of bicubic pairs as in the paper", () => {
    const task = taskOf(configure(stages), patches, 3, 1);
    expect(task).toMatchObject({ stage: "pretraining", parametersStep: 3, downsampling: "bicubic", patchSize: 96 });
    expect([task.support.length, task.query.length, task.kernels.length]).toEqual([8, 0, 0]);
    expect(task.stepWeights).toEqual([]);
  });

  it("on mixed kernels has a kernel per patch", () => {
    const configuration = configure({ pretraining: { steps: 10, kernels: "mixed", batch: 6, tasks: 2 } });
    const task = taskOf(configuration, patches, 0, 0);
    expect(task.support.map((patch) => patch.kernel)).toEqual([0, 1, 2]);
    expect(new Set(task.kernels.map((kernel) => kernel.data.join())).size).toBe(3);
  });

  it("rounds a batch that the tasks do not divide up, so that tasks stay equal", () => {
    const configuration = configure({ pretraining: { steps: 1, batch: 10, tasks: 4 } });
    const sizes = [0, 1, 2, 3].map((index) => taskOf(configuration, patches, 0, index).support.length);
    expect(sizes).toEqual([3, 3, 3, 3]);
  });
});

it("a fixed seed gives a fixed task, on every machine and in every version", () => {
  const changes = { seed: 42, ...stages, degradation: { downsampling: "mixed", noiseSigma: 0.01 } };
  const hashes = [0, 9, 10, 5_000].map((step) => {
    const task = onTheWire(taskOf(configure(changes), patches, step, 2));
    return createHash("sha256").update(JSON.stringify(task)).digest("hex").slice(0, 16);
  });
  expect(hashes).toEqual(["815d5ba751507266", "33f5c16d9bc7e317", "54e902498c08c065", "0705c2e3b7d04e61"]);
});

function taskOf(configuration: Configuration, positions: PatchIndex, step: number, index: number): Task {
  return drawTask(new RunSchedule(configuration), positions, step, index);
}

/** A task as the protocol writes it. */
function onTheWire(task: Task) {
  return coordinatorMessageToProto({ type: "announce", tasks: [task] }).announce?.tasks?.[0];
}
