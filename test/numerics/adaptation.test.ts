import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  adapt,
  backProject,
  createImage,
  Draws,
  defaultRates,
  degrade,
  enlargeWith,
  gaussianKernel,
  type Image,
  InputError,
  importTf1Checkpoint,
  initialParameters,
  interpolateLow,
  loadKernel,
  type Model,
  parameterLayout,
  psnrY,
  readImage,
  superResolve,
} from "@mzsr/mzsr";
import { simdMemory } from "@mzsr/tfjs-backend-simd";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { BACKENDS } from "./problems.js";

const allocated = () => ({
  tensors: tf.memory().numTensors,
  bytes: tf.memory().numBytes,
  simd: simdMemory().usedBytes,
});
const degradation = {
  kernel: gaussianKernel({ lambda1: 1.5, lambda2: 0.7, theta: 0.4 }),
  downsampling: "direct",
} as const;

/** Waves of several lengths and some noise: structure everywhere. */
function photo(height: number, width: number): Image {
  const draws = new Draws(5, [0, 0, 0]);
  const image = createImage(height, width, 3);
  for (let i = 0; i < image.data.length; i++) {
    const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
    image.data[i] = 0.5 + 0.2 * Math.sin(x / 3 + (i % 3)) + 0.2 * Math.cos((x + 2 * y) / 5) + 0.02 * draws.normal();
  }
  return image;
}

function smallModel(depth = 3, width = 5): Model {
  const architecture = { depth, width };
  const parameters = initialParameters(architecture, new Draws(9, [0, 0, 0]));
  return { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };
}

describe.each(BACKENDS)("on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  describe("adaptation", () => {
    it("lowers the loss on the photo's own degradation, and tells of each step", async () => {
      const seen: number[] = [];
      const { losses } = await adapt(smallModel(), photo(22, 19), {
        degradation,
        updates: 4,
        rates: () => 0.1,
        onStep: ({ step, updates, loss }) => seen.push(step / updates + loss),
      });
      expect(losses).toHaveLength(4);
      expect(losses[3]).toBeLessThan(losses[0]!);
      expect(seen).toEqual(losses.map((loss, j) => (j + 1) / 4 + loss));
    });

    it("gives at each snapshot what that many steps give", async () => {
      const [model, image] = [smallModel(), photo(16, 17)];
      const { snapshots, parameters } = await adapt(model, image, { degradation, updates: 3, snapshotsAt: [0, 2] });
      expect([...snapshots.keys()]).toEqual([0, 2, 3]);
      expect(snapshots.get(0)).toEqual(model.parameters);
      expect(snapshots.get(2)).toEqual((await adapt(model, image, { degradation, updates: 2 })).parameters);
      expect(snapshots.get(3)).toBe(parameters);
      expect(parameters).not.toEqual(snapshots.get(2));
    });

    it("moves each tensor by its learned rate", async () => {
      const model = smallModel();
      const { entries } = parameterLayout(model.architecture);
      const innerRates = [Float32Array.from(entries, (_, p) => (p === 2 ? Math.log(0.1) : -100))];
      const { parameters } = await adapt({ ...model, innerRates }, photo(16, 16), { degradation, updates: 2 });
      entries.forEach(({ offset, size }, p) => {
        const moves = parameters
          .subarray(offset, offset + size)
          .map((v, i) => Math.abs(v - model.parameters[offset + i]!));
        expect(Math.max(...moves) > 1e-6).toBe(p === 2);
      });
    });

    it("adapts on the most structured parts of a large photo", async () => {
      const image = photo(40, 60);
      // Flat but for the lower right corner.
      for (let y = 0; y < 40; y++) image.data.fill(0.5, 3 * 60 * y, 3 * (60 * y + (y < 20 ? 60 : 40)));
      const model = smallModel();
      const silent = { ...model, parameters: new Float32Array(model.parameters.length) };
      const loss = async (maxPixels: number) =>
        (await adapt(silent, image, { degradation, updates: 1, maxPixels })).losses[0]!;
      const [whole, corner] = [await loss(40 * 60), await loss(20 * 20)];
      expect(corner).toBeGreaterThan(4 * whole);
      expect(await loss(2 * 20 * 20)).toBeCloseTo(corner / 2, 2);
    });

    it("leaves nothing allocated, also after an error in the middle", async () => {
      const before = allocated();
      await adapt(smallModel(), photo(16, 16), { degradation, updates: 2 });
      expect(allocated()).toEqual(before);
      const failing = () => {
        throw new Error("in the middle");
      };
      const options = { degradation, updates: 2 };
      await expect(adapt(smallModel(), photo(16, 16), { ...options, onStep: failing })).rejects.toThrow(
        "in the middle",
      );
      const rates = (step: number) => (step === 1 ? failing() : 0.1);
      await expect(adapt(smallModel(), photo(16, 16), { ...options, rates })).rejects.toThrow("in the middle");
      const noParameters = { ...smallModel(), parameters: new Float32Array(3) };
      await expect(adapt(noParameters, photo(16, 16), options)).rejects.toThrow();
      expect(allocated()).toEqual(before);
    });
  });

  describe("enlargement", () => {
    it.each([8, 12, 32])("in tiles of %s equals the whole", async (tileSide) => {
      const model = smallModel(4, 5);
      const image = photo(17, 21);
      const whole = await enlargeWith(model, image, { tileSide: 1000 });
      const tiled = await enlargeWith(model, image, { tileSide });
      expect([tiled.height, tiled.width]).toEqual([34, 42]);
      expect(largestDifference(tiled, whole)).toBeLessThan(1e-6);
    });

    it("holds one tile at a time, whatever the photo's size", async () => {
      const peak = async (side: number) => {
        const profile = await tf.profile(async () => {
          await enlargeWith(smallModel(), photo(side, side), { tileSide: 16 });
          return [];
        });
        return profile.peakBytes;
      };
      expect(await peak(56)).toBe(await peak(24));
    });

    it("adds the network's residual to the interpolation", async () => {
      const model = smallModel();
      const silent = { ...model, parameters: new Float32Array(model.parameters.length) };
      const image = photo(16, 18);
      expect(largestDifference(await enlargeWith(silent, image), interpolateLow(image, 2, [32, 36]))).toBe(0);
      expect(largestDifference(await enlargeWith(model, image), interpolateLow(image, 2, [32, 36]))).toBeGreaterThan(
        1e-3,
      );
    });

    it("leaves nothing allocated, also after an error", async () => {
      const before = allocated();
      await superResolve(smallModel(), photo(16, 16), { degradation, updates: 1, tileSide: 16, backProjections: 1 });
      const noParameters = { ...smallModel(), parameters: new Float32Array(3) };
      await expect(enlargeWith(noParameters, photo(16, 16))).rejects.toThrow();
      expect(allocated()).toEqual(before);
    });
  });
});

it("refuses images that are not RGB", async () => {
  const grey = createImage(16, 16, 1);
  await expect(enlargeWith(smallModel(), grey)).rejects.toThrow(InputError);
  await expect(adapt(smallModel(), grey, { degradation, updates: 1 })).rejects.toThrow("an image of 1 channels");
});

it("takes the paper's rates, or the learned ones and the last of them from then on", () => {
  const paper = defaultRates({ innerRates: undefined });
  expect([0, 1, 3, 4, 9].map(paper)).toEqual([2e-2, 1e-2, 1e-2, 5e-3, 5e-3]);
  const learned = defaultRates({ innerRates: [Float32Array.of(0), Float32Array.of(Math.log(2))] });
  const first = [0, 1, 7].map((step) => (learned(step) as Float64Array)[0]!);
  [1, 2, 2].forEach((rate, i) => {
    expect(first[i]).toBeCloseTo(rate, 6);
  });
});

it("back-projects: the result degrades to the photo more closely each time", () => {
  const truth = photo(32, 34);
  const full = { ...degradation, scale: 2 };
  const low = degrade(truth, full);
  const distances = [0, 1, 3].map((iterations) => {
    const result = backProject(interpolateLow(low, 2, [32, 34]), low, full, iterations);
    return Math.hypot(...degrade(result, full).data.map((value, i) => value - low.data[i]!));
  });
  expect(distances[1]).toBeLessThan(0.7 * distances[0]!);
  expect(distances[2]).toBeLessThan(0.7 * distances[1]!);
});

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
it.skipIf(!existsSync(data))(
  "adapts the public network to a Set5 image as PyTorch does (needs ../shared)",
  async () => {
    await tf.setBackend("simd");
    const model = await importTf1Checkpoint(`${data}pretrained_tf1/Pretrained`, 2);
    const low = await readImage(`${data}set5/lr_g2.0_x2/butterfly.png`);
    const high = await readImage(`${data}set5/hr/butterfly.png`);
    const options = { degradation: { kernel: await loadKernel("g2.0"), downsampling: "direct" }, updates: 10 } as const;
    const psnr = async (parameters: Float32Array) => psnrY(high, await enlargeWith({ ...model, parameters }, low), 2);
    expect(Math.abs((await psnr(model.parameters)) - 23.1814)).toBeLessThan(2e-3);
    expect(Math.abs((await psnr((await adapt(model, low, options)).parameters)) - 23.2282)).toBeLessThan(2e-3);
  },
);

function largestDifference(a: Image, b: Image): number {
  expect(a.data.length).toBe(b.data.length);
  return a.data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b.data[i]!)), 0);
}
