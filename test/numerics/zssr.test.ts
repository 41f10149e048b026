import {
  createImage,
  degrade,
  enlargeBicubic,
  enlargeWith,
  enlargeZssr,
  gaussianKernel,
  type Image,
  interpolateInPlace,
  interpolateLow,
  psnrY,
  zssr,
} from "@mzsr/mzsr";
import { startBackend } from "@mzsr/worker";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";

/** Stripes and rings: the same structure at every scale. */
function pattern(): Image {
  const image = createImage(64, 64, 3);
  image.data.forEach((_, at) => {
    const [y, x] = [Math.floor(at / 3 / 64), Math.floor(at / 3) % 64];
    image.data[at] = 0.5 + 0.4 * Math.sign(Math.sin(Math.hypot(x - 20, y - 30) / 2.2)) * (at % 3 === 0 ? 1 : 0.8);
  });
  return image;
}

const degradation = {
  kernel: gaussianKernel({ lambda1: 1, lambda2: 1, theta: 0 }),
  downsampling: "direct" as const,
  scale: 2,
};
const options = { degradation, architecture: { depth: 3, width: 8 }, updates: 200, learningRate: 1e-2 };

beforeAll(async () => {
  await startBackend("simd");
});

it("learns a photo from nothing but the photo, better than bicubic, the same every time, and leaves no tensor", async () => {
  const hr = pattern();
  const lr = degrade(hr, degradation);
  const before = tf.memory().numTensors;
  const steps: number[] = [];
  const { model, losses, converged } = await zssr(lr, { ...options, onStep: ({ step }) => steps.push(step) });
  expect(tf.memory().numTensors).toBe(before);
  expect([losses.length, steps.at(-1)]).toEqual([200, 200]);
  expect(converged).toBe(false);
  const bicubic = psnrY(hr, interpolateLow(lr, 2, [64, 64]), 2);
  expect(psnrY(hr, await enlargeWith(model, lr), 2)).toBeGreaterThan(bicubic + 0.3);
  const again = await zssr(lr, { ...options, updates: 3 });
  expect(again.losses).toEqual(losses.slice(0, 3));
  expect((await zssr(lr, { ...options, updates: 3, seed: 2 })).losses).not.toEqual(again.losses);
});

it("ends when the learning rate is below the smallest", async () => {
  const flat = createImage(32, 32, 3);
  flat.data.fill(0.5);
  const { losses, converged } = await zssr(flat, { ...options, updates: 5000, smallestRate: 5e-3 });
  expect(converged).toBe(true);
  expect(losses.length).toBeLessThan(5000);
});

it("draws noise anew for every crop", async () => {
  const photo = pattern();
  const of = async (noise: { sigma: number; seed: number } | undefined) =>
    (await zssr(photo, { ...options, degradation: { ...degradation, noise }, updates: 3 })).losses;
  const [clean, noisy] = [await of(undefined), await of({ sigma: 0.1, seed: 1 })];
  expect(noisy[0]).not.toBe(clean[0]);
  expect(await of({ sigma: 0.1, seed: 1 })).toEqual(noisy);
  expect(await of({ sigma: 0, seed: 1 })).toHaveLength(3);
});

it("and interpolation alone give a photo back with what it carries, larger", async () => {
  const lr = degrade(pattern(), degradation);
  const photo = { ...lr, alpha: createImage(32, 32, 1), bits: 16 as const, carried: { density: 300 } };
  const learned = await enlargeZssr(photo, { ...options, updates: 60 });
  expect(learned.image).toMatchObject({ height: 64, width: 64, bits: 16, carried: { density: 300 } });
  expect([learned.losses.length, learned.converged, learned.image.alpha?.width]).toEqual([60, false, 64]);
  expect(learned.lossAfter).toBeLessThan(learned.losses[0]!);
  const bicubic = enlargeBicubic(photo, { degradation });
  expect(bicubic.data).toEqual(interpolateInPlace(lr, 2, "direct").data);
  expect(bicubic).toMatchObject({ bits: 16, carried: { density: 300 }, alpha: { height: 64 } });
  expect(enlargeBicubic(photo, { degradation, backProjection: 2 }).data).not.toEqual(bicubic.data);
});
