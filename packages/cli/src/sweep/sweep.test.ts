import { existsSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { mzsr } from "@mzsr/testing/run-command";
import { makePhotos, smallRun } from "@mzsr/testing/small-cluster-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, it } from "vitest";
import { combinations } from "./combinations.js";

it("combines every value with every other, under names that folders may have", () => {
  expect(combinations(["metaTraining.learningRate=1e-4,3e-4", "seed=1,2"]).map(({ name }) => name)).toEqual([
    "learningRate=1e-4,seed=1",
    "learningRate=1e-4,seed=2",
    "learningRate=3e-4,seed=1",
    "learningRate=3e-4,seed=2",
  ]);
  expect(combinations(["backend=simd"])).toEqual([{ name: "backend=simd", set: ["backend=simd"] }]);
});

it.each([
  ["seed"],
  ["seed="],
  ["seed=1,,2"],
  ["seed=1,1"],
  ["seed=1", "seed=2"],
  [`seed=${Array.from({ length: 201 }, (_, i) => i)}`],
])("refuses to vary %j", (...vary) => {
  expect(() => combinations(vary)).toThrow(/--vary/);
});

it("trains the runs one after the other, leaves those that are finished alone, and compares them, the best first", async () => {
  const folder = await temporaryFolder();
  await makePhotos(join(folder, "photos"));
  const sweep = join(folder, "sweep");
  const args = [
    "sweep",
    sweep,
    ...smallRun(join(folder, "photos"), 1, 2),
    "--vary",
    "seed=1,2",
    "--workers",
    "1",
    "--json",
  ];
  const first = await mzsr(args);
  expect(first.code, first.notes).toBe(0);
  const lines = JSON.parse(first.out) as { run: string; lossAfter: number }[];
  expect(lines.map(({ run }) => run).sort()).toEqual(["seed=1", "seed=2"]);
  expect(lines[0]!.lossAfter).toBeLessThanOrEqual(lines[1]!.lossAfter);

  // As if it had been stopped in the second run: the first stays as it is.
  const kept = join(sweep, "seed=1", "model.safetensors");
  const { mtimeMs } = await stat(kept);
  const gone = join(sweep, "seed=2", "model.safetensors");
  await rm(gone);
  const again = await mzsr(args);
  expect(again.out, again.notes).toBe(first.out);
  const { notes } = await mzsr(args.filter((word) => word !== "--json"));
  const best = lines.map(({ run }) => join(sweep, run));
  expect(notes).toContain(`Their curves on one page: npx mzsr view ${best.join(" ")}`);
  expect([existsSync(gone), (await stat(kept)).mtimeMs]).toEqual([true, mtimeMs]);
}, 240_000);
