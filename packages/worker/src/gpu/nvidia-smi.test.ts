import { describe, expect, it } from "vitest";
import { parseGpus, readComputeCapability, readGpus } from "./nvidia-smi.js";

describe("nvidia-smi", () => {
  it("is read as ratios and bytes, one reading per GPU", () => {
    const cards = "0, NVIDIA H100, 550.54, 87, 1024, 81559, 61\n1, NVIDIA H100, 550.54, 0, 3, 81559, [N/A]\n";
    const card = { name: "NVIDIA H100", driver: "550.54", memoryTotalBytes: 81559 * 2 ** 20 };
    expect(parseGpus(cards)).toEqual([
      { ...card, gpu: "0", utilisation: 0.87, memoryUsedBytes: 1024 * 2 ** 20, temperature: 61 },
      { ...card, gpu: "1", utilisation: 0, memoryUsedBytes: 3 * 2 ** 20 },
    ]);
  });

  it("is left out where it does not know", () => {
    expect(parseGpus("0, NVIDIA T4, 550.54, [N/A], 1024, 81559, 40\n\nNo devices were found\n")).toEqual([]);
  });

  it("that is not installed, fails or says nothing useful means no GPU", async () => {
    expect(await readGpus("/no/such/program")).toEqual([]);
    expect(await readGpus("false")).toEqual([]);
    expect(await readGpus("echo")).toEqual([]);
    expect(await readComputeCapability("/no/such/program")).toBeUndefined();
    expect(await readComputeCapability("echo")).toBeUndefined();
  });
});
