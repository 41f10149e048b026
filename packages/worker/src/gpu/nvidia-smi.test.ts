import { describe, expect, it } from "vitest";
import { parseGpus, readGpus } from "./nvidia-smi.js";

describe("nvidia-smi", () => {
  it("is read as ratios and bytes, one reading per GPU", () => {
    expect(parseGpus("0, 87, 1024, 81559\n1, 0, 3, 81559\n")).toEqual([
      { gpu: "0", utilisation: 0.87, memoryUsedBytes: 1024 * 2 ** 20, memoryTotalBytes: 81559 * 2 ** 20 },
      { gpu: "1", utilisation: 0, memoryUsedBytes: 3 * 2 ** 20, memoryTotalBytes: 81559 * 2 ** 20 },
    ]);
  });

  it("is left out where it does not know", () => {
    expect(parseGpus("0, [N/A], 1024, 81559\n\nNo devices were found\n")).toEqual([]);
  });

  it("that is not installed, fails or says nothing useful means no GPU", async () => {
    expect(await readGpus("/no/such/program")).toEqual([]);
    expect(await readGpus("false")).toEqual([]);
    expect(await readGpus("echo")).toEqual([]);
  });
});
