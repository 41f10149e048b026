import { adapt, createImage, Draws, enlargeWith, InputError, initialParameters } from "@mzsr/mzsr";
import { expect, it } from "vitest";
import { describeOnGpu } from "../../../engine-webgpu/src/testing/test-device.js";
import { startPhotoBackend } from "./photo-backend.js";

const architecture = { depth: 2, width: 4 };
const parameters = initialParameters(architecture, new Draws(1, [0, 0, 0]));
const model = { architecture, parameters, scale: 2, innerRates: undefined, metadata: {} };
const photo = createImage(16, 16, 3, new Float32Array(16 * 16 * 3).fill(0.5));
const once = { degradation: { downsampling: "direct" as const }, updates: 1 };

it("is TensorFlow.js' where no GPU is asked for", async () => {
  const { name, computer, close } = await startPhotoBackend("cpu");
  expect(name).toBe("cpu");
  expect((await enlargeWith(model, photo, { computer })).width).toBe(32);
  close();
});

describeOnGpu("photos' backend", (device) => {
  it("is the engine for webgpu, and for auto on a real GPU alone", async () => {
    const webgpu = await startPhotoBackend("webgpu");
    expect(webgpu).toMatchObject({ name: "webgpu", description: `WebGPU on ${device.description.name}` });
    webgpu.close();
    const auto = await startPhotoBackend("auto", { among: ["webgpu", "simd"] });
    expect(auto.name).toBe(device.description.isSoftware ? "simd" : "webgpu");
    auto.close();
  });

  it("computes on TensorFlow.js' own WebGPU backend where the GPU's memory does not do, and says so", async () => {
    const notes: string[] = [];
    const options = { gpuMemoryBytes: 1e4, note: (text: string) => void notes.push(text) };
    const [short, plenty] = [await startPhotoBackend("webgpu", options), await startPhotoBackend("webgpu")];
    const results = [];
    for (const { computer, close } of [short, plenty]) {
      const { parameters: adapted, losses } = await adapt(model, photo, { ...once, computer });
      const { data } = await enlargeWith({ ...model, parameters: adapted }, photo, { computer });
      results.push([...losses, ...data]);
      close();
    }
    expect(notes[0]).toMatch(/^computed by TensorFlow\.js on webgpu: .* of GPU memory/);
    const [instead, engine] = results;
    expect(instead).toHaveLength(1 + 32 * 32 * 3);
    for (const [i, value] of instead!.entries()) expect(Math.abs(value - engine![i]!)).toBeLessThan(1e-5);
  });

  it("says what to do where the GPU's memory does not do and TensorFlow.js has no backend for it", async () => {
    const startInstead = () => Promise.reject(new InputError("it is not installed: npm install it"));
    const { computer, close } = await startPhotoBackend("webgpu", { gpuMemoryBytes: 1e4, startInstead });
    for (const refused of [adapt(model, photo, { ...once, computer }), enlargeWith(model, photo, { computer })]) {
      await expect(refused).rejects.toThrow(InputError);
      await expect(refused).rejects.toThrow(
        /of GPU memory .*, and for TensorFlow\.js: it is not installed: npm install it; expected another backend/,
      );
    }
    close();
  });

  it("tells that its GPU was lost, and another starts", async () => {
    const lost = await startPhotoBackend("webgpu");
    lost.close();
    expect(lost.failure).toMatch(/the GPU was closed/);
    await expect(adapt(model, photo, { ...once, computer: lost.computer })).rejects.toThrow("the GPU was closed");
    const next = await startPhotoBackend("webgpu");
    expect((await adapt(model, photo, { ...once, computer: next.computer })).losses).toHaveLength(1);
    next.close();
  });
});
