/** `mzsr doctor` and what `auto` takes, on a GPU or on a driver that stands in for one, and where parts of it are missing. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createImage, Draws, encodePng, initialParameters, writeModel } from "@mzsr/mzsr";
import { mzsr } from "@mzsr/testing/run-command";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { expect, it } from "vitest";
import { describeOnGpu } from "../../packages/engine-webgpu/src/testing/test-device.js";

const folder = sharedFolder();

interface Report {
  readonly auto: string;
  readonly backends: readonly { name: string; found: boolean; forAuto: boolean; description: string }[];
}

async function doctor(environment: NodeJS.ProcessEnv = process.env) {
  const { out } = await mzsr(["doctor", "--json"], { env: environment });
  const report = JSON.parse(out) as Report;
  return { ...report, webgpu: report.backends.find(({ name }) => name === "webgpu")! };
}

/** What the tests are given to find a driver is taken away; a loader that the system has stays. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { VK_ICD_FILENAMES, VK_DRIVER_FILES, LD_LIBRARY_PATH, ...environment } = process.env;
  return environment;
}

it("doctor says what to install where there is no Vulkan loader", async () => {
  const { webgpu } = await doctor(plainEnvironment());
  if (webgpu.found || process.platform !== "linux") return;
  expect(webgpu.description).toMatch(
    /Vulkan loader is missing.*install libvulkan1|Vulkan driver.*: .+|not installed: npm /,
  );
});

it("upscale goes on without a GPU in silence where there is no Vulkan loader, though Dawn is installed", async () => {
  const { code, notes } = await upscale(plainEnvironment());
  expect([code, notes]).toEqual([0, expect.not.stringContaining("load Vulkan")]);
});

/** A small photo, on the backend that `auto` takes. */
async function upscale(env: NodeJS.ProcessEnv) {
  const output = join(folder, "out.png");
  const photo = join(folder, "photo.png");
  await writeFile(photo, await encodePng(createImage(16, 16, 3, new Float32Array(16 * 16 * 3).fill(0.5))));
  const model = join(folder, "model.safetensors");
  const architecture = { depth: 2, width: 4 };
  const parameters = initialParameters(architecture, new Draws(1, [9, 9, 9]));
  await writeModel(model, { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} });
  const args = ["--model", model, "-o", output, "--updates", "0", "--kernel", "g1.3", "--force"];
  return mzsr(["upscale", photo, ...args], { env });
}

describeOnGpu("mzsr", (device) => {
  it("doctor says what the GPU holds, and that auto takes it unless it computes on the CPU", async () => {
    const { auto, webgpu } = await doctor();
    const { isSoftware } = device.description;
    expect(webgpu).toMatchObject({ found: true, forAuto: !isSoftware });
    expect(webgpu.description).toMatch(/tasks at once: [1-9]\d* of gpu/);
    expect(auto === "webgpu").toBe(!isSoftware);
  });

  const none = join(folder, "none.json");
  const withoutDriver = { ...process.env, VK_ICD_FILENAMES: none, VK_DRIVER_FILES: none };

  it("upscale goes on in silence where there is a Vulkan loader and neither a GPU nor a driver", async () => {
    const { code, notes } = await upscale(withoutDriver);
    expect(code).toBe(0);
    // Dawn has something to say of a GPU without a driver.
    if (device.description.isSoftware) expect(notes).not.toMatch(/Warning|Vulkan|vk[A-Z]/);
  });

  it("doctor tells a machine without a driver from one without a loader", async () => {
    const { auto, webgpu } = await doctor(withoutDriver);
    expect([webgpu.found, auto === "webgpu"]).toEqual([false, false]);
    if (process.platform === "linux") expect(webgpu.description).toMatch(/no GPU has a Vulkan driver.*: .+/);
  });
});
