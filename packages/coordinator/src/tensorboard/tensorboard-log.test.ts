import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createImage } from "@mzsr/mzsr";
import type { PreviewImage } from "@mzsr/shared";
import { readEventFiles, shownBy } from "@mzsr/testing/event-files";
import { smallDisk } from "@mzsr/testing/small-disk";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { writePicture } from "../previews/preview-files.js";
import type { MetricsLine } from "../run/metrics-log.js";
import { TensorBoardLog, type TensorBoardOptions } from "./tensorboard-log.js";

const NOW_MS = 1767225599_250;

function logIn(run: string, changes: Partial<TensorBoardOptions> = {}) {
  const problems: string[] = [];
  const skipped: string[] = [];
  const log = new TensorBoardLog({
    folder: join(run, "tensorboard"),
    previews: join(run, "previews"),
    nextStep: 1,
    earlier: async () => [],
    nowMs: () => NOW_MS,
    onProblem: (reason) => problems.push(reason),
    onSkipped: (reason) => skipped.push(reason),
    ...changes,
  });
  return { log, problems, skipped };
}

/** A meta-step whose query loss after adaptation is `after`. */
function line(step: number, after: number): MetricsLine {
  return {
    step,
    stage: "metaTraining",
    stage_step: step,
    support_losses: [0.5, 0.375],
    query_losses: [0.5, 0.25, after],
    gradient_norm: 2,
    learning_rate: 0.0625,
    step_weights: [0.25, 0.75],
    seconds: 4,
    tasks: 6,
    workers: 3,
    theta_sha256: "",
    time: "2026-01-01T00:00:00.500Z",
  };
}

const shownIn = async (run: string) => shownBy(await readEventFiles(join(run, "tensorboard")));

const stepsOf = async (run: string, tag: string) => [...(await shownIn(run)).get(tag)!.keys()];

test("a step becomes scalars with names that say what they are", async () => {
  const run = await temporaryFolder();
  const { log, problems } = logIn(run);
  log.step(line(1, 0.125));
  await log.close();
  const [version, start, step] = (await readEventFiles(join(run, "tensorboard"))).flat();
  expect(version).toEqual({ wallTime: NOW_MS / 1000, fileVersion: "brain.Event:2" });
  expect(start).toEqual({ wallTime: NOW_MS / 1000, step: 1, sessionLog: { status: "START" } });
  expect(step).toMatchObject({ wallTime: Date.parse("2026-01-01T00:00:00.500Z") / 1000, step: 1 });
  const scalars = [...(await shownIn(run))].map(([tag, series]) => [tag, series.get(1)!.simpleValue]);
  expect(Object.fromEntries(scalars)).toEqual({
    "loss/support/before": 0.5,
    "loss/query/before": 0.5,
    "loss/query/after": 0.125,
    "inner_loss/support/0": 0.5,
    "inner_loss/support/1": 0.375,
    "inner_loss/query/0": 0.5,
    "inner_loss/query/1": 0.25,
    "inner_loss/query/2": 0.125,
    "step_weight/0": 0.25,
    "step_weight/1": 0.75,
    "training/learning_rate": 0.0625,
    "training/meta_gradient_norm": 2,
    "cluster/tasks_per_second": 1.5,
    "cluster/seconds_per_step": 4,
    "cluster/workers": 3,
  });
  expect(problems).toEqual([]);
});

test("a pretraining step has one loss, that of its minibatches", async () => {
  const run = await temporaryFolder();
  const { log } = logIn(run);
  log.step({ ...line(1, 0), stage: "pretraining", support_losses: [0.25], query_losses: [], step_weights: [] });
  await log.close();
  const losses = [...(await shownIn(run)).keys()].filter((tag) => tag.includes("loss"));
  expect(losses).toEqual(["loss/pretraining"]);
});

test("a preview becomes pictures and their PSNR; a picture that stays is written once", async () => {
  const run = await temporaryFolder();
  const { log, problems } = logIn(run);
  for (const step of [4, 8]) log.preview(step, [await preview(join(run, "previews"), step)]);
  await log.close();
  const shown = await shownIn(run);
  const steps = [...shown].map(([tag, series]) => [tag, [...series.keys()]]);
  expect(Object.fromEntries(steps)).toEqual({
    "psnr/barn/bicubic": [4, 8],
    "psnr/barn/before": [4, 8],
    "psnr/barn/adapted": [4, 8],
    "preview/barn/lr": [4],
    "preview/barn/bicubic": [4],
    "preview/barn/adapted": [4, 8],
    "preview/barn/hr": [4],
  });
  expect(shown.get("psnr/barn/adapted")!.get(8)!.simpleValue).toBe(30.5);
  const { encodedImageString, ...size } = shown.get("preview/barn/lr")!.get(4)!.image!;
  expect(size).toEqual({ height: 4, width: 6, colorspace: 3 });
  expect(Buffer.from(encodedImageString).subarray(1, 4).toString()).toBe("PNG");
  expect(problems).toEqual([]);
});

test("a picture that cannot be read is left out, said once, and the rest is written", async () => {
  const run = await temporaryFolder();
  const { log, problems, skipped } = logIn(run);
  const image = await preview(join(run, "previews"), 4);
  await rm(join(run, "previews", image.entries[0]!.files.lr));
  for (const step of [4, 8]) log.preview(step, [image]);
  log.step(line(9, 0.5));
  await log.close();
  const shown = await shownIn(run);
  const pictures = [...shown.keys()].filter((tag) => tag.startsWith("preview/"));
  expect(pictures).toEqual(["preview/barn/bicubic", "preview/barn/adapted", "preview/barn/hr"]);
  expect([...shown.get("psnr/barn/adapted")!.keys()]).toEqual([4, 8]);
  expect([...shown.get("loss/query/after")!.keys()]).toEqual([9]);
  expect(skipped).toEqual([expect.stringMatching(/^preview\/barn\/lr: .*ENOENT/)]);
  expect(problems).toEqual([]);
});

test("what an interrupted run wrote of steps that its next life does again is forgotten", async () => {
  const run = await temporaryFolder();
  const first = logIn(run);
  for (const step of [1, 2, 3, 4]) first.log.step(line(step, 0.5));
  await first.log.close();
  const earlier = () => Promise.reject(new Error("not to be asked for"));
  const resumed = logIn(run, { nextStep: 3, earlier, nowMs: () => NOW_MS - 60_000 });
  resumed.log.step(line(3, 0.25));
  await resumed.log.close();
  const series = (await shownIn(run)).get("loss/query/after")!;
  expect([...series].map(([step, value]) => [step, value.simpleValue])).toEqual([
    [1, 0.5],
    [2, 0.5],
    [3, 0.25],
  ]);
  expect(resumed.problems).toEqual([]);
});

test("a run that resumes where nothing was written for TensorBoard gets the steps before, too", async () => {
  const run = await temporaryFolder();
  const { log } = logIn(run, {
    nextStep: 601,
    earlier: async () => Array.from({ length: 600 }, (_, i) => line(i + 1, 1)),
  });
  log.step(line(601, 1));
  await log.close();
  expect(await stepsOf(run, "loss/query/after")).toEqual(Array.from({ length: 601 }, (_, i) => i + 1));
});

test("a life whose file cannot be begun leaves none, and the next one writes the steps before", async () => {
  const run = await temporaryFolder();
  const broken = logIn(run, { nextStep: 3, earlier: () => Promise.reject(new Error("metrics.jsonl: cannot be read")) });
  await broken.log.close();
  expect(broken.problems).toEqual(["metrics.jsonl: cannot be read"]);
  expect(await readdir(join(run, "tensorboard"))).toEqual([]);
  const next = logIn(run, { nextStep: 3, earlier: async () => [line(1, 1), line(2, 1)] });
  next.log.step(line(3, 1));
  await next.log.close();
  expect(await stepsOf(run, "loss/query/after")).toEqual([1, 2, 3]);
});

test("a file that a killed life left empty does not keep the steps before from being written", async () => {
  const run = await temporaryFolder();
  await mkdir(join(run, "tensorboard"));
  await writeFile(join(run, "tensorboard", "events.out.tfevents.1767225599.250.mzsr"), "");
  const { log } = logIn(run, { nextStep: 2, earlier: async () => [line(1, 1)] });
  log.step(line(2, 1));
  await log.close();
  expect(await stepsOf(run, "loss/query/after")).toEqual([1, 2]);
});

test("a full disk is told once and ends the writing; what was written stays whole", async (context) => {
  const run = await smallDisk(context, 64);
  const { log, problems } = logIn(run);
  for (const step of [1, 2]) log.step(line(step, 0.5));
  await expect.poll(() => stepsOf(run, "cluster/workers").catch(() => [])).toEqual([1, 2]);
  for (let step = 3; step <= 1000; step++) log.step(line(step, 0.5));
  await expect.poll(() => problems).toEqual([expect.stringMatching(/no space left/i)]);
  log.step(line(1001, 0.5));
  await log.close();
  expect(problems).toHaveLength(1);
  expect((await stepsOf(run, "cluster/workers")).slice(0, 2)).toEqual([1, 2]);
});

test("a folder that cannot be made ends the writing with the reason", async () => {
  const run = await temporaryFolder();
  await writeFile(join(run, "tensorboard"), "a file");
  const { log, problems } = logIn(run);
  log.step(line(1, 0.5));
  await log.close();
  expect(problems).toEqual([expect.stringMatching(/EEXIST.*tensorboard/)]);
});

test("each life has a file of its own, also two in one millisecond", async () => {
  const run = await temporaryFolder();
  for (let life = 1; life <= 3; life++) await logIn(run).log.close();
  await mkdir(join(run, "tensorboard", "plugins"));
  await logIn(run).log.close();
  const names = (await readdir(join(run, "tensorboard"))).filter((name) => name !== "plugins");
  expect(names.sort()).toEqual(
    ["250", "251", "252", "253"].map((fraction) => `events.out.tfevents.1767225599.${fraction}.mzsr`),
  );
});

async function preview(folder: string, step: number): Promise<PreviewImage> {
  const picture = (kind: string, height: number, width: number, grey: number) => {
    const image = createImage(height, width, 3);
    image.data.fill(grey);
    return writePicture(folder, `barn-${kind}`, image);
  };
  const files = {
    lr: await picture("lr", 4, 6, 0.5),
    bicubic: await picture("bicubic", 8, 12, 0.5),
    adapted: await picture(`step-${step}`, 8, 12, step / 10),
    hr: await picture("hr", 8, 12, 0.75),
  };
  const psnr = { bicubic: 28, before: 29, adapted: step === 8 ? 30.5 : 30 };
  const kernel = { size: 1, values: [1] };
  return { name: "barn", scale: 2, updates: 10, downsampling: "direct", kernel, entries: [{ step, files, psnr }] };
}
