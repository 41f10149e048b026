import "@tensorflow/tfjs-backend-cpu";
import {
  adapt,
  beginEnlargement,
  createImage,
  Draws,
  enlargeWith,
  gaussianKernel,
  type Image,
  InputError,
  initialParameters,
  type Model,
  zssr,
} from "@mzsr/mzsr";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { openDevice } from "../device/device.js";
import { relativeL2 } from "../testing/golden-tasks.js";
import { describeOnGpu } from "../testing/test-device.js";
import { PhotoEngine } from "./photo-engine.js";

const draws = new Draws(3, [0, 0, 0]);

function photograph(height: number, width: number): Image {
  const image = createImage(height, width, 3);
  for (let i = 0; i < image.data.length; i++) image.data[i] = 0.5 + 0.3 * Math.sin(i / 7) + draws.uniform(-0.1, 0.1);
  return image;
}

function modelOf(depth: number, width: number, scale = 2): Model {
  const architecture = { depth, width };
  return {
    architecture,
    scale,
    parameters: initialParameters(architecture, draws),
    innerRates: undefined,
    metadata: {},
  };
}

describeOnGpu("a photo", (device) => {
  const computer = new PhotoEngine(device);
  const model = modelOf(3, 6);

  beforeAll(async () => {
    await tf.setBackend("cpu");
  });

  it("is adapted to and enlarged as the core does it on TensorFlow.js, the same bits each time", async () => {
    const photo = photograph(14, 17);
    const rates = (step: number) => (step === 0 ? 0.02 : [0.01, 0.02, 0.01, 0.02, 0.03, 0.01]);
    const degradation = { downsampling: "direct" as const };
    const options = { degradation, updates: 3, snapshotsAt: [0, 1], rates, lossAfter: true };
    const steps: number[] = [];
    const ours = await adapt(model, photo, { ...options, computer, onStep: ({ step }) => steps.push(step) });
    const core = await adapt(model, photo, options);
    expect(steps).toEqual([1, 2, 3]);
    expect(relativeL2([...ours.losses, ours.lossAfter!], [...core.losses, core.lossAfter!])).toBeLessThan(1e-5);
    expect([...ours.snapshots.keys()]).toEqual([...core.snapshots.keys()]);
    for (const [count, parameters] of core.snapshots) {
      expect(relativeL2(ours.snapshots.get(count)!, parameters)).toBeLessThan(1e-5);
    }
    expect(await adapt(model, photo, { ...options, computer })).toEqual(ours);
    const adapted = { ...model, parameters: ours.parameters };
    const enlarged = await enlargeWith(adapted, photo, { tileSide: 20, computer });
    expect(enlarged).toMatchObject({ height: 28, width: 34, channels: 3 });
    expect(relativeL2(enlarged.data, (await enlargeWith(adapted, photo)).data)).toBeLessThan(1e-5);
    expect(await enlargeWith(adapted, photo, { tileSide: 20, computer })).toEqual(enlarged);
  });

  it.each([3, 4])(
    "is enlarged times %i after an adaptation with a kernel and noise, and back-projected",
    async (scale) => {
      const large = modelOf(3, 4, scale);
      const photo = { ...photograph(13, 12), alpha: createImage(13, 12, 1) };
      photo.alpha.data.fill(0.5);
      const kernel = gaussianKernel({ lambda1: 2, lambda2: 1, theta: 0.3 });
      const options = { model: large, kernel, updates: 2, noise: 0.01, backProjection: 1 };
      const bandOf = async (given: object) =>
        (await (await beginEnlargement(photo, { ...options, ...given })).bands.next()).value;
      const ours = await bandOf({ computer });
      const core = await bandOf({});
      expect(relativeL2(ours.image.data, core.image.data)).toBeLessThan(1e-5);
      expect(ours.image.alpha).toEqual(core.image.alpha);
    },
  );

  it("that is large is adapted to on its most structured parts together", async () => {
    const photo = photograph(40, 18);
    const shallow = modelOf(2, 4);
    const options = { degradation: { downsampling: "bicubic" as const }, updates: 2, maxPixels: 700, lossAfter: true };
    const ours = await adapt(shallow, photo, { ...options, computer });
    const core = await adapt(shallow, photo, options);
    expect(relativeL2([...ours.losses, ours.lossAfter!], [...core.losses, core.lossAfter!])).toBeLessThan(1e-5);
    expect(relativeL2(ours.parameters, core.parameters)).toBeLessThan(1e-5);
  });

  it("trains a network of its own as ZSSR does on TensorFlow.js", async () => {
    const degradation = { kernel: undefined, downsampling: "direct" as const, scale: 2 };
    const measured: number[] = [];
    const onState = async ({ step }: { step: number }) => void measured.push(step);
    const options = { degradation, updates: 50, architecture: { depth: 2, width: 4 }, onState };
    const photo = photograph(20, 24);
    const ours = await zssr(photo, { ...options, computer });
    const core = await zssr(photo, options);
    expect(measured).toEqual([50, 50]);
    expect(relativeL2(ours.losses, core.losses)).toBeLessThan(1e-4);
    expect(relativeL2(ours.model.parameters, core.model.parameters)).toBeLessThan(1e-3);
  });

  it("is enlarged in smaller tiles where memory is scarce, and refused where it does not do at all", async () => {
    const photo = photograph(150, 140);
    const scarce = new PhotoEngine(device, { memoryBytes: 3e6 });
    const whole = await computer.enlarger(model, { height: 300, width: 280 }, 512);
    const cut = await scarce.enlarger(model, { height: 300, width: 280 }, 512);
    expect([whole.rows.flat().length, cut.rows.flat().length > 1]).toEqual([1, true]);
    for (const each of [whole, cut]) each.dispose();
    const enlarged = await enlargeWith(model, photo, { computer: scarce });
    expect(enlarged.data).toEqual((await enlargeWith(model, photo, { computer })).data);
    const options = { degradation: { downsampling: "direct" as const }, updates: 1 };
    const none = new PhotoEngine(device, { memoryBytes: 1e4 });
    await expect(adapt(model, photo, { ...options, computer: none })).rejects.toThrow(InputError);
    await expect(enlargeWith(model, photo, { computer: none })).rejects.toThrow(
      /of GPU memory where 1 MB may be taken/,
    );
  });

  it("that is not enlarged to its end leaves the device in order", async () => {
    const photo = photograph(40, 40);
    for await (const { top } of (await beginEnlargement(photo, { model, kernel: null, updates: 0, computer })).bands) {
      expect(top).toBe(0);
      break;
    }
    const enlarger = await computer.enlarger(model, { height: 80, width: 80 }, 16);
    const tiles = enlarger.rows.flat().map((tile) => enlarger.tile(() => ({ tile, scale: 2, piece: pieceOf(photo) })));
    enlarger.dispose();
    const ended = await Promise.allSettled(tiles);
    expect(ended.filter(({ status }) => status === "rejected").length).toBeGreaterThan(0);
    expect(device.failure).toBeUndefined();
    expect((await enlargeWith(model, photo, { computer })).height).toBe(80);
  });

  it("of other than three channels is refused", async () => {
    const grey = createImage(8, 8, 1);
    const options = { degradation: { downsampling: "direct" as const }, updates: 1, computer };
    await expect(adapt(model, grey, options)).rejects.toThrow("an image of 1 channels; expected RGB");
    await expect(enlargeWith(model, grey, { computer })).rejects.toThrow("an image of 1 channels; expected RGB");
  });

  it("says so when the device is lost, in adaptation and in enlargement", async () => {
    const lost = await openDevice();
    const gone = new PhotoEngine(lost);
    const photo = photograph(20, 20);
    const onStep = () => lost.webgpu.destroy();
    const options = { degradation: { downsampling: "direct" as const }, updates: 3, computer: gone, onStep };
    await expect(adapt(model, photo, options)).rejects.toThrow(/the GPU was (closed|lost)/);
    await expect(enlargeWith(model, photo, { computer: gone })).rejects.toThrow(/the GPU was (closed|lost)/);
  });
});

function pieceOf(image: Image) {
  return { image, top: 0, left: 0, whole: { height: image.height, width: image.width } };
}
