import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StepSummary, ValidationSummary } from "@mzsr/shared";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { metricsLine, readMetrics, readValidations, validationLine } from "./metrics-log.js";

const at = new Date(0);
const stepLine = (step: number) => metricsLine({ step, stage: "metaTraining" } as StepSummary, at);
const validation = (step: number) => validationLine({ step, psnr: [30] } as unknown as ValidationSummary, at);

async function fileOf(...lines: readonly object[]): Promise<string> {
  const path = join(await temporaryFolder(), "metrics.jsonl");
  await appendFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

test("steps are read past validations, which are read by themselves", async () => {
  const path = await fileOf(stepLine(1), stepLine(2), validation(1), stepLine(3), validation(3));
  const { lines, bytes, validated } = await readMetrics(path);
  expect(lines.map(({ step }) => step)).toEqual([1, 2, 3]);
  expect(bytes).toBe((await readFile(path)).length);
  expect([...validated]).toEqual([1, 3]);
  expect((await readValidations(path)).map(({ step }) => step)).toEqual([1, 3]);
});

test("a run that goes back to a step keeps the validations of what stays, also behind what is cut off", async () => {
  const path = await fileOf(stepLine(1), stepLine(2), validation(1), stepLine(3), validation(2), validation(3));
  const { lines, bytes, validated } = await readMetrics(path, 2);
  expect(lines.map(({ step }) => step)).toEqual([1, 2]);
  const kept = (await readFile(path, "utf8")).slice(0, bytes);
  expect(kept.trimEnd().split("\n")).toHaveLength(3);
  expect([...validated]).toEqual([1]);
  expect((await readValidations(path, 2)).map(({ step }) => step)).toEqual([1, 2]);
});
