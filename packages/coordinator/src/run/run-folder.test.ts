import { appendFile, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import type { StepSummary } from "@mzsr/shared";
import { smallConfiguration } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { firstState } from "./initial-state.js";
import { RunFolder, type RunFolderOptions, runPaths } from "./run-folder.js";

function optionsFor(path: string, changes: Partial<RunFolderOptions> = {}): RunFolderOptions {
  const configuration = changes.configuration ?? smallConfiguration();
  return {
    path,
    run: "run",
    configuration,
    dataset: "digest of the images",
    resume: false,
    firstState: () => firstState(configuration),
    onDisk: () => undefined,
    onLockLost: () => undefined,
    ...changes,
  };
}

/** Opens a folder and begins the run. */
async function begun(options: RunFolderOptions) {
  const opened = await RunFolder.open(options);
  await opened.folder.begin();
  return opened;
}

function summary(step: number): StepSummary {
  const losses = { supportLosses: [0.1], queryLosses: [], stepWeights: [] };
  const numbers = { gradientNorm: 1, learningRate: 0.1, seconds: 1, tasks: 2, workers: 1 };
  return { step, stage: "pretraining", stageStep: step, ...losses, ...numbers, thetaSha256: `hash of ${step}` };
}

/** A run of three steps with checkpoints after the first and the second. */
async function interruptedRun(): Promise<string> {
  const path = join(await temporaryFolder(), "run");
  const { folder, state } = await begun(optionsFor(path));
  for (const step of [1, 2, 3]) {
    folder.recordStep(summary(step), new Date(0));
    if (step < 3) await folder.writeCheckpoint(step, folder.encode({ ...state, step }));
  }
  folder.recordEvent({ at: 1, kind: "join", reason: "here" });
  await folder.close();
  return path;
}

test("a resumed run goes on from its newest checkpoint, and metrics.jsonl ends there", async () => {
  const path = await interruptedRun();
  await appendFile(runPaths(path).events, '{"at":2,"ki');
  const run = await begun(optionsFor(path, { resume: true }));
  expect(run.state.step).toBe(2);
  expect(run.steps).toEqual([summary(1), summary(2)]);
  expect(run.events).toEqual([{ at: 1, kind: "join", reason: "here" }]);
  run.folder.recordStep(summary(3), new Date(0));
  await run.folder.close();
  const lines = (await readFile(runPaths(path).metrics, "utf8")).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).step)).toEqual([1, 2, 3]);
});

test("a broken newest checkpoint is said, and the one before it is used", async () => {
  const path = await interruptedRun();
  await truncate(join(runPaths(path).checkpoints, "step-00000002.safetensors"), 100);
  const run = await begun(optionsFor(path, { resume: true }));
  expect(run.state.step).toBe(1);
  expect(run.notes[0]).toMatch(/passed over .*step-00000002.safetensors: .*cut short/);
  expect(run.notes[1]).toMatch(/going on from step 1, theta [0-9a-f]{64}/);
  await run.folder.close();
});

test("another configuration is refused with the keys that differ and those that may", async () => {
  const path = await interruptedRun();
  const configuration = smallConfiguration({ seed: 2, checkpoints: { every: 7 } });
  const opened = RunFolder.open(optionsFor(path, { resume: true, configuration }));
  await expect(opened).rejects.toThrow(InputError);
  await expect(opened).rejects.toThrow(/seed: 1 → 2 .*these may change: checkpoints.every/);
  const run = await begun(optionsFor(path, { resume: true }));
  await run.folder.close();
});

test("a safe difference is said, and the run goes on with the new value", async () => {
  const path = await interruptedRun();
  const configuration = smallConfiguration({ checkpoints: { every: 7 } });
  const run = await begun(optionsFor(path, { resume: true, configuration }));
  expect(run.notes).toContain("changed checkpoints.every: 2 → 7 (when the run is saved)");
  expect(await readFile(runPaths(path).configuration, "utf8")).toContain("every: 7");
  await run.folder.close();
});

test("other training images are refused", async () => {
  const path = await interruptedRun();
  const opened = RunFolder.open(optionsFor(path, { resume: true, dataset: "other" }));
  await expect(opened).rejects.toThrow("the training images are not those that the run began with");
});

test("a folder with checkpoints is not begun anew", async () => {
  const path = await interruptedRun();
  await expect(RunFolder.open(optionsFor(path))).rejects.toThrow(/holds a run with checkpoints.*--resume/);
});

test("what a killed coordinator left half-written goes when the folder is opened, and nothing else", async () => {
  const path = await interruptedRun();
  const { previews } = runPaths(path);
  await mkdir(previews);
  const leftover = ["coordinator.json.4711.tmp", "config.yaml.1.tmp", "model.safetensors.4711.tmp"];
  for (const name of [...leftover, "net.onnx.4711.tmp", "notes.tmp"]) await writeFile(join(path, name), "half");
  for (const name of ["previews.json.1.tmp", "barn-lr-0a1b2c3d.png.4711.tmp", "barn-lr-0a1b2c3d.png"]) {
    await writeFile(join(previews, name), "half");
  }
  const { folder } = await begun(optionsFor(path, { resume: true }));
  await folder.close();
  const left = (await readdir(path)).filter((name) => name.endsWith(".tmp"));
  expect(left.sort()).toEqual(["net.onnx.4711.tmp", "notes.tmp"]);
  expect(await readdir(previews)).toEqual(["barn-lr-0a1b2c3d.png"]);
});

test("two coordinators cannot use one run folder", async () => {
  const path = join(await temporaryFolder(), "run");
  const { folder } = await begun(optionsFor(path));
  await expect(RunFolder.open(optionsFor(path))).rejects.toThrow("another coordinator works on this run");
  await folder.close();
});

test("resuming a folder without any checkpoint begins at step 0", async () => {
  const run = await begun(optionsFor(join(await temporaryFolder(), "run"), { resume: true }));
  expect(run.state.step).toBe(0);
  expect(run.notes).toEqual(["no whole checkpoint: starting at step 0"]);
  await run.folder.close();
});

test("a folder is as it was found until the run begins, and an early event is not lost", async () => {
  const path = await interruptedRun();
  await writeFile(runPaths(path).model, "a model");
  const before = await readFile(runPaths(path).metrics, "utf8");
  const { folder } = await RunFolder.open(optionsFor(path, { resume: true }));
  folder.recordEvent({ at: 2, kind: "refusal", reason: "early" });
  expect(await readFile(runPaths(path).model, "utf8")).toBe("a model");
  expect(await readFile(runPaths(path).metrics, "utf8")).toBe(before);
  await folder.begin();
  await folder.close();
  expect(await readFile(runPaths(path).events, "utf8")).toContain("early");
});
