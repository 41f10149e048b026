import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gaussianKernel, readModel } from "@mzsr/mzsr";
import type { ValidationSummary } from "@mzsr/shared";
import { smallConfiguration } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test } from "vitest";
import { firstState } from "../run/initial-state.js";
import type { Measurement, ValidationComputer, ValidationProblem } from "./validation-computer.js";
import { ValidationWriter, type ValidationWriterOptions } from "./validation-writer.js";

const configuration = smallConfiguration({ validation: { every: 1, updates: [0, 2] } });
const kernel = (name: string) => ({
  name,
  kernel: gaussianKernel({ lambda1: 1, lambda2: 1, theta: 0 }),
  downsampling: "direct" as const,
});
const size = (await firstState(configuration)).theta.length;

/** Parameters that a measurement can be told by. */
const parameters = (value: number) => new Float32Array(size).fill(value);

/** Measures what a model's first parameter says; those of image `b` are a dB better. */
function measure({ model, image }: ValidationProblem): Measurement {
  const psnr = model.parameters[0]! + (image === "b" ? 1 : 0);
  return { bicubic: 20, psnr: [psnr, 2 * psnr], seconds: 0.5 };
}

async function writerIn(
  folder: string,
  changes: Partial<ValidationWriterOptions> = {},
  compute: (problem: ValidationProblem) => Promise<Measurement> = async (problem) => measure(problem),
) {
  const measured: ValidationSummary[] = [];
  const problems: string[] = [];
  let end: (reason: Error) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    end = reject;
  });
  ended.catch(() => undefined);
  const computer: ValidationComputer = {
    compute: (problem) => Promise.race([compute(problem), ended]),
    hurry: () => undefined,
    close: async () => end(new Error("the run ends")),
  };
  const writer = await ValidationWriter.open({
    run: "run",
    configuration,
    folder: join(folder, "validation"),
    bestModel: join(folder, "model-best.safetensors"),
    images: ["a", "b"],
    kernels: [kernel("g1"), kernel("g2")],
    computer,
    fromStep: 0,
    validated: [],
    onMeasured: async (summary) => void measured.push(summary),
    onWaiting: () => undefined,
    onProblem: (reason) => problems.push(reason),
    ...changes,
  });
  onTestFinished(() => writer.close());
  return { writer, measured, problems };
}

const never = () => new Promise<Measurement>(() => undefined);
const forever = new AbortController().signal;
const bestIn = async (folder: string) => (await readModel(join(folder, "model-best.safetensors"))).metadata;

test("every model is measured, in order, however slow that is, and the best one is kept", async () => {
  const folder = await temporaryFolder();
  let release: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { writer, measured } = await writerIn(folder, {}, async (problem) => slow.then(() => measure(problem)));
  for (const [i, value] of [30, 32, 31].entries()) writer.offer(i + 1, parameters(value), undefined);
  await writer.written();
  expect(await readdir(join(folder, "validation"))).toHaveLength(3);
  release();
  await writer.finish(forever);
  expect(measured.map(({ step, psnr }) => [step, ...psnr])).toEqual([
    [1, 30.5, 61],
    [2, 32.5, 65],
    [3, 31.5, 63],
  ]);
  expect(measured[0]).toMatchObject({ images: 2, weights: "last", updates: [0, 2], bicubic: 20, seconds: 2 });
  expect(measured[0]!.kernels.map((each) => each.kernel)).toEqual(["g1", "g2"]);
  expect(await bestIn(folder)).toMatchObject({ step: "2", validation_psnr: "65" });
  expect(await readdir(folder)).toEqual(["model-best.safetensors"]);
});

test("of equally good models the earliest is kept", async () => {
  const folder = await temporaryFolder();
  const { writer } = await writerIn(folder);
  for (const step of [1, 2]) writer.offer(step, parameters(30), undefined);
  await writer.finish(forever);
  expect((await bestIn(folder)).step).toBe("1");
});

test("where the run keeps a moving average, that is measured, and both are in the best model", async () => {
  const folder = await temporaryFolder();
  const { writer, measured } = await writerIn(folder);
  writer.offer(1, parameters(10), parameters(30));
  await writer.finish(forever);
  expect(measured).toMatchObject([{ weights: "ema", psnr: [30.5, 61] }]);
  const best = await readModel(join(folder, "model-best.safetensors"));
  expect([best.parameters[0], best.ema?.parameters[0]]).toEqual([10, 30]);
});

test("what still waited when a run was stopped is measured by the next life, but not what it computes again", async () => {
  const folder = await temporaryFolder();
  const first = await writerIn(folder, {}, never);
  for (const step of [1, 2, 3, 4]) first.writer.offer(step, parameters(30 + step), undefined);
  await first.writer.close();
  const { writer, measured } = await writerIn(folder, { fromStep: 3, validated: [1] });
  await writer.finish(forever);
  expect(measured.map(({ step }) => step)).toEqual([2, 3]);
  expect((await bestIn(folder)).step).toBe("3");
});

test("a best model of a step that is computed again does not count, one measured otherwise gives way", async () => {
  const folder = await temporaryFolder();
  const first = await writerIn(folder);
  first.writer.offer(5, parameters(40), undefined);
  await first.writer.finish(forever);
  const other = smallConfiguration({ validation: { every: 1, updates: [0, 2], kernels: ["g2.0"] } });
  const second = await writerIn(folder, { fromStep: 5, configuration: other });
  second.writer.offer(6, parameters(30), undefined);
  await second.writer.finish(forever);
  expect((await bestIn(folder)).step).toBe("6");
  await writerIn(folder, { fromStep: 5, configuration: other });
  expect(await readdir(folder)).toEqual([]);
});

test("a model that cannot be measured is said, waits for the next life, and holds no other up", async () => {
  const folder = await temporaryFolder();
  const { writer, measured, problems } = await writerIn(folder, {}, async (problem) => {
    if (problem.model.parameters[0] === 31) throw new Error("the process ended");
    return measure(problem);
  });
  for (const [i, value] of [30, 31, 32].entries()) writer.offer(i + 1, parameters(value), undefined);
  await writer.written();
  await writer.finish(forever);
  expect(measured.map(({ step }) => step)).toEqual([1, 3]);
  expect(problems).toEqual(["step 2: the process ended; --resume tries again"]);
  expect(await readdir(join(folder, "validation"))).toEqual(["step-00000002.safetensors"]);
});

test("a waiting model that was cut short is said and left, and a half-written one goes", async () => {
  const folder = await temporaryFolder();
  const first = await writerIn(folder, {}, never);
  first.writer.offer(1, parameters(30), undefined);
  await first.writer.close();
  const waiting = join(folder, "validation", "step-00000001.safetensors");
  await writeFile(waiting, (await readFile(waiting)).subarray(0, 100));
  await writeFile(`${waiting}.4711.tmp`, "half");
  const { writer, problems } = await writerIn(folder, { fromStep: 1 });
  await writer.finish(forever);
  expect(problems).toHaveLength(1);
  expect(await readdir(join(folder, "validation"))).toEqual(["step-00000001.safetensors"]);
});

test("whoever ends a complete run need not wait for it", async () => {
  const folder = await temporaryFolder();
  const { writer } = await writerIn(folder, {}, never);
  writer.offer(1, parameters(30), undefined);
  const givenUp = new AbortController();
  const finished = writer.finish(givenUp.signal);
  givenUp.abort();
  await finished;
});
