import "@tensorflow/tfjs-backend-cpu";
import { adapt, createImage, Draws, enlargeWith, type Image, initialParameters, type Model } from "@mzsr/mzsr";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { relativeL2 } from "../testing/golden-tasks.js";
import { describeOnGpu } from "../testing/test-device.js";
import { adaptOnGpu, enlargeOnGpu } from "./photo.js";

const draws = new Draws(3, [0, 0, 0]);

function photograph(height: number, width: number): Image {
  const image = createImage(height, width, 3);
  for (let i = 0; i < image.data.length; i++) image.data[i] = 0.5 + 0.3 * Math.sin(i / 7) + draws.uniform(-0.1, 0.1);
  return image;
}

describeOnGpu("a photo", (device) => {
  const modelOf = (depth: number, width: number) => {
    const architecture = { depth, width };
    return { architecture, scale: 2, parameters: initialParameters(architecture, draws) } as Model;
  };
  const model = modelOf(3, 6);

  it("is adapted to and enlarged as the core does it on TensorFlow.js", async () => {
    await tf.setBackend("cpu");
    const photo = photograph(14, 17);
    const rates = (step: number) => (step === 0 ? 0.02 : [0.01, 0.02, 0.01, 0.02, 0.03, 0.01]);
    const options = { degradation: { downsampling: "direct" as const }, updates: 3, snapshotsAt: [0, 1], rates };
    const steps: number[] = [];
    const ours = await adaptOnGpu(device, model, photo, { ...options, onStep: ({ step }) => steps.push(step) });
    const core = await adapt(model, photo, options as Parameters<typeof adapt>[2]);
    expect(steps).toEqual([1, 2, 3]);
    expect(relativeL2(ours.losses, core.losses)).toBeLessThan(1e-5);
    expect([...ours.snapshots.keys()]).toEqual([...core.snapshots.keys()]);
    for (const [count, parameters] of core.snapshots) {
      expect(relativeL2(ours.snapshots.get(count)!, parameters)).toBeLessThan(1e-5);
    }
    const adapted = { ...model, parameters: ours.parameters };
    const enlarged = await enlargeOnGpu(device, adapted, photo, { tileSide: 20 });
    const expected = await enlargeWith(adapted, photo);
    expect(enlarged).toMatchObject({ height: 28, width: 34, channels: 3 });
    expect(relativeL2(enlarged.data, expected.data)).toBeLessThan(1e-5);
  });

  it("that is large is adapted to on its most structured parts together", async () => {
    await tf.setBackend("cpu");
    const photo = photograph(40, 18);
    const shallow = modelOf(2, 4);
    const options = { degradation: { downsampling: "bicubic" as const }, updates: 2, maxPixels: 700 };
    const ours = await adaptOnGpu(device, shallow, photo, options);
    const core = await adapt(shallow, photo, options);
    expect(relativeL2(ours.losses, core.losses)).toBeLessThan(1e-5);
    expect(relativeL2(ours.parameters, core.parameters)).toBeLessThan(1e-5);
  });

  it("of other than three channels is refused", async () => {
    const grey = createImage(8, 8, 1);
    const options = { degradation: { downsampling: "direct" as const }, updates: 1 };
    await expect(adaptOnGpu(device, model, grey, options)).rejects.toThrow("an image of 1 channels; expected RGB");
    await expect(enlargeOnGpu(device, model, grey)).rejects.toThrow("an image of 1 channels; expected RGB");
  });
});
