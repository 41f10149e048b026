/** The benchmark's row for one photo runs; what it measures on a driver that computes on the CPU is worth nothing. */
import { openDevice } from "@mzsr/engine-webgpu";
import { expect, it } from "vitest";
import { photoLine, photoSpeed } from "../../bench/gpu/photo.js";
import { describeOnGpu } from "../../packages/engine-webgpu/src/testing/test-device.js";

describeOnGpu("bench:gpu", () => {
  it("measures a photo's adaptation and enlargement, the first of its size and the next", async () => {
    const small = { architecture: { depth: 2, width: 4 }, side: 16, updates: 2 };
    const device = await openDevice();
    const speed = await photoSpeed(device, small, 1e8);
    device.destroy();
    const parts = [speed.first, speed.next].flatMap(({ adaptation, enlargement }) => [adaptation, enlargement]);
    expect(parts.every((seconds) => seconds > 0)).toBe(true);
    expect(photoLine(small, speed)).toMatch(
      /^one photo of 16 × 16 enlarged ×2: \d+\.\d\d s for 2 steps, .*to enlarge\)$/,
    );
  });
});
