import { createImage, Draws, enlargeWith, initialParameters, type NetworkComputer, RunError } from "@mzsr/mzsr";
import { expect, it } from "vitest";
import { describeOnGpu } from "../../../engine-webgpu/src/testing/test-device.js";
import { PhotoComputing, SOFTWARE_TOO } from "./photo-computing.js";

const architecture = { depth: 2, width: 4 };
const network = { architecture, parameters: initialParameters(architecture, new Draws(1, [0, 0, 0])), scale: 2 };
const photo = createImage(16, 16, 3);

/** Whether a computer is this thread's backend, or a GPU. */
async function isGpu(computer: NetworkComputer): Promise<boolean> {
  const enlarger = await computer.enlarger(network, { height: 32, width: 32 }, 32);
  enlarger.dispose();
  return enlarger.elsewhere;
}

it.each(["simd", "cpu", "cuda", "tensorflow"] as const)("is simd for a run on %s", async (backend) => {
  const { result, seconds } = await new PhotoComputing([backend]).compute(isGpu);
  expect(result).toBe(false);
  expect(seconds).toBeGreaterThan(0);
});

describeOnGpu("previews and validations", (device) => {
  it.each(["webgpu", "auto"])("have the GPU for a run on %s where it is a real one", async (backend) => {
    expect((await new PhotoComputing([backend]).compute(isGpu)).result).toBe(!device.description.isSoftware);
    expect((await new PhotoComputing([backend, SOFTWARE_TOO]).compute(isGpu)).result).toBe(true);
  });

  it("go on with simd where the GPU fails", async () => {
    const computing = new PhotoComputing(["webgpu", SOFTWARE_TOO]);
    const failing = async (computer: NetworkComputer) => {
      if (await isGpu(computer)) throw new RunError("the GPU was lost");
      return enlargeWith(network, photo, { computer });
    };
    expect((await computing.compute(failing)).result.width).toBe(32);
    expect((await computing.compute(isGpu)).result).toBe(false);
  });
});
