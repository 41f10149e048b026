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

  it("says what to do where the GPU's memory does not do and TensorFlow.js has no backend for it", async () => {
    const { computer, close } = await startPhotoBackend("webgpu", { gpuMemoryBytes: 1e4 });
    for (const refused of [adapt(model, photo, { ...once, computer }), enlargeWith(model, photo, { computer })]) {
      await expect(refused).rejects.toThrow(InputError);
      await expect(refused).rejects.toThrow(
        /of GPU memory .*npm install @tensorflow\/tfjs-backend-webgpu; expected another backend, such as simd/,
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
