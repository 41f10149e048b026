/** `mzsr up --backend webgpu` as a user runs it, on a GPU or on a driver that stands in for one, beside `simd`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { mzsr } from "@mzsr/testing/run-command";
import { hashesOf, makePhotos, smallRun } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { expect, it } from "vitest";
import { describeOnGpu } from "../../packages/engine-webgpu/src/testing/test-device.js";

const folder = sharedFolder();

interface StepLosses {
  readonly support_losses: readonly number[];
  readonly query_losses: readonly number[];
}

async function lossesOf(run: string): Promise<number[]> {
  const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).trim().split("\n");
  return lines
    .map((line) => JSON.parse(line) as StepLosses)
    .flatMap((step) => [...step.support_losses, ...step.query_losses]);
}

describeOnGpu("mzsr up --backend webgpu", () => {
  it("trains as simd does, with the same bits for one task at a time and for four", async () => {
    const photos = join(folder, "photos");
    await makePhotos(photos);
    const train = async (name: string, ...args: string[]) => {
      const run = join(folder, name);
      const { code, notes } = await mzsr(["up", "--run", run, ...smallRun(photos, 2, 3), "--workers", "1", ...args]);
      expect([code, notes]).toEqual([0, expect.stringContaining("Finished: ")]);
      return run;
    };
    const simd = await train("simd", "--set", "metaTraining.tasks=4");
    const four = await train("four", "--backend", "webgpu", "--slots", "4", "--set", "metaTraining.tasks=4");
    const single = await train("single", "--backend", "webgpu", "--slots", "1", "--set", "metaTraining.tasks=4");
    expect(await hashesOf(four)).toHaveLength(5);
    expect(await hashesOf(single)).toEqual(await hashesOf(four));
    const expected = await lossesOf(simd);
    const losses = await lossesOf(four);
    expect(losses.length).toBeGreaterThan(10);
    expect(losses).toHaveLength(expected.length);
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-4);
  });
});
