import { setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { largestDifference } from "@mzsr/testing/golden-image";
import { beforeAll, expect, it } from "vitest";
import { gaussianKernel } from "../degradation/kernel.js";
import { superResolve } from "../enlargement/enlargement.js";
import { createImage } from "../imaging/image.js";
import { imresize } from "../imaging/resize.js";
import { estimateKernel, readEstimator } from "../kernel-estimation/load-estimator.js";
import { initialParameters } from "../model/initial.js";
import { Draws } from "../random/draws.js";
import { enlarge as enlargeAny } from "./enlarge.js";
import { enlarge } from "./enlarge-photo.js";
import { fillTransparent } from "./fill-transparent.js";

const [HEIGHT, WIDTH] = [20, 24];
const architecture = { depth: 3, width: 4 };
const draws = new Draws(3, [0, 0, 0]);
const parameters = initialParameters(architecture, draws).map((value) => value / 4);
const model = { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };
const noise = () => Float32Array.from({ length: HEIGHT * WIDTH * 3 }, () => draws.uniform(0, 1));
const kernel = gaussianKernel({ lambda1: 2, lambda2: 1, theta: 0.3 });

beforeAll(async () => {
  await setBackend("cpu");
});

it("gives what adaptation and enlargement give, and takes along what the photo carries", async () => {
  const carried = { density: 300 };
  const photo = { ...createImage(HEIGHT, WIDTH, 3, noise()), bits: 16, carried } as const;
  const options = { updates: 2, backProjections: 1, degradation: { kernel, downsampling: "direct" } } as const;
  const { image: expected, adaptation } = await superResolve(model, photo, options);
  const { image, losses } = await enlarge(photo, { model, kernel, updates: 2, backProjection: 1 });
  expect(image).toMatchObject({ height: 2 * HEIGHT, width: 2 * WIDTH, bits: 16, carried });
  expect(largestDifference(image.data, expected.data)).toBe(0);
  expect(losses).toEqual(adaptation.losses);
});

it("estimates a kernel that is not given from the photo, with the package's own estimator or another", async () => {
  const photo = imresize(
    createImage(
      64,
      64,
      3,
      Float32Array.from({ length: 64 * 64 * 3 }, () => draws.uniform(0, 1)),
    ),
    1.5,
  );
  const estimate = await estimateKernel(photo);
  const given = await enlarge(photo, { model, kernel: estimate.kernel, updates: 1 });
  const estimator = await readEstimator();
  for (const found of [
    await enlargeAny(photo, { model, updates: 1 }),
    await enlarge(photo, { model, estimator, updates: 1 }),
  ]) {
    expect(found.estimate).toEqual(estimate);
    expect(found.losses).toEqual(given.losses);
    expect(largestDifference(found.image.data, given.image.data)).toBe(0);
  }
  expect((await enlargeAny(photo, { model, kernel: null, updates: 0 })).estimate).toBeUndefined();
  await expect(enlarge(photo, { model })).rejects.toThrow(/neither a kernel nor an estimator/);
});

it("adds noise to the photo's own degradation, the same each time", async () => {
  const photo = createImage(HEIGHT, WIDTH, 3, noise());
  const losses = [];
  for (const sigma of [0, 0.05, 0.05]) {
    losses.push((await enlarge(photo, { model, kernel, updates: 1, noise: sigma })).losses[0]!);
  }
  expect(losses[1]).not.toBe(losses[0]);
  expect(losses[2]).toBe(losses[1]);
});

it("enlarges alpha to where the colours lie: pixel i of a directly downsampled photo is pixel 2 i", async () => {
  const wave = (x: number) => 0.5 + 0.4 * Math.sin(x / 3);
  const alpha = createImage(HEIGHT, WIDTH, 1);
  alpha.data.forEach((_, i) => {
    alpha.data[i] = wave(i % WIDTH);
  });
  const photo = { ...createImage(HEIGHT, WIDTH, 3, noise()), alpha };
  const direct = (await enlarge(photo, { model, kernel: null, updates: 0, downsampling: "direct" })).image.alpha!;
  const bicubic = (await enlarge(photo, { model, kernel: null, updates: 0, downsampling: "bicubic" })).image.alpha!;
  for (let x = 8; x < 2 * WIDTH - 8; x++) {
    expect(direct.data[x]).toBeCloseTo(wave(x / 2), 2);
    expect(bicubic.data[x]).toBeCloseTo(wave(x / 2 - 0.25), 2);
  }
});

it("leaves no halo around what is cut out, and keeps opaque and transparent exactly", async () => {
  const seen = (i: number) => i % WIDTH >= 8 && i % WIDTH < 16;
  const alpha = createImage(HEIGHT, WIDTH, 1);
  const cut = createImage(HEIGHT, WIDTH, 3);
  alpha.data.forEach((_, i) => {
    if (!seen(i)) return;
    alpha.data[i] = 1;
    cut.data.set([0.8, 0.2, 0.4], 3 * i);
  });
  const photo = { ...fillTransparent(cut, alpha), alpha };
  const { image } = await enlarge(photo, {
    model: { ...model, parameters: new Float32Array(parameters.length) },
    kernel: null,
    updates: 0,
  });
  const flat = Float32Array.from({ length: image.data.length }, (_, i) => [0.8, 0.2, 0.4][i % 3]!);
  expect(largestDifference(image.data, flat)).toBeLessThan(1e-5);
  // Without the filling, interpolation alone mixes black into the edge.
  expect(largestDifference(imresize(cut, 2).data, flat)).toBeGreaterThan(0.3);
  const row = [...image.alpha!.data.slice(0, 2 * WIDTH)];
  expect([row[0], row[10], row[22], row[40], Math.min(...row), Math.max(...row)]).toEqual([0, 0, 1, 0, 0, 1]);
});
