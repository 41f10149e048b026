import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeEach, expect, it } from "vitest";
import { modelFile } from "./model-path.js";

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

it("a run's folder stands for its model, and a file for itself, whether it is there or not", async () => {
  const model = join(folder, "model.safetensors");
  await writeFile(model, "");
  expect(await modelFile(folder)).toBe(model);
  expect(await modelFile(model)).toBe(model);
  expect(await modelFile(join(folder, "none"))).toBe(join(folder, "none"));
});

it("a run that has not finished says so, how far it came, and how it goes on", async () => {
  for (const name of ["config.yaml", "metrics.jsonl"]) await writeFile(join(folder, name), "");
  await expect(modelFile(folder)).rejects.toThrow(/has not finished and has no model yet \(no checkpoint\)/);
  await mkdir(join(folder, "checkpoints"));
  for (const name of ["step-00000200.safetensors", "step-00001000.safetensors", "step-00002000.safetensors.7.tmp"]) {
    await writeFile(join(folder, "checkpoints", name), "");
  }
  await expect(modelFile(folder)).rejects.toThrow(
    `${folder}: this run has not finished and has no model yet (its newest checkpoint is of step 1000); ` +
      `expected a model file, or the folder of a finished run; npx mzsr up --run ${folder} --resume goes on with it, ` +
      "and with --steps for what is done ends it there",
  );
});

it("a folder of something else is told from a run's", async () => {
  await expect(modelFile(folder)).rejects.toThrow(`${folder}: is a folder without model.safetensors`);
});
