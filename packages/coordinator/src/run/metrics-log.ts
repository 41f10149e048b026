/** metrics.jsonl: one line per step and per validation (docs/design.md §8), with snake_case keys. */
import { type FileHandle, open, readFile } from "node:fs/promises";
import { InputError, messageOf } from "@mzsr/mzsr";
import type { StepSummary, ValidationSummary } from "@mzsr/shared";

/** A line of metrics.jsonl that tells of a step. */
export interface MetricsLine {
  readonly step: number;
  readonly stage: StepSummary["stage"];
  readonly stage_step: number;
  readonly support_losses: readonly number[];
  readonly query_losses: readonly number[];
  readonly gradient_norm: number;
  readonly learning_rate: number;
  readonly step_weights: readonly number[];
  readonly seconds: number;
  readonly tasks: number;
  readonly workers: number;
  readonly theta_sha256: string;
  /** ISO 8601, when the step was finished. */
  readonly time: string;
}

export function metricsLine(step: StepSummary, time: Date): MetricsLine {
  return {
    step: step.step,
    stage: step.stage,
    stage_step: step.stageStep,
    support_losses: step.supportLosses,
    query_losses: step.queryLosses,
    gradient_norm: step.gradientNorm,
    learning_rate: step.learningRate,
    step_weights: step.stepWeights,
    seconds: step.seconds,
    tasks: step.tasks,
    workers: step.workers,
    theta_sha256: step.thetaSha256,
    time: time.toISOString(),
  };
}

export function summaryOf(line: MetricsLine): StepSummary {
  return {
    step: line.step,
    stage: line.stage,
    stageStep: line.stage_step,
    supportLosses: line.support_losses,
    queryLosses: line.query_losses,
    gradientNorm: line.gradient_norm,
    learningRate: line.learning_rate,
    stepWeights: line.step_weights,
    seconds: line.seconds,
    tasks: line.tasks,
    workers: line.workers,
    thetaSha256: line.theta_sha256,
  };
}

/** A line of metrics.jsonl that tells of a validation. It stands somewhere behind that of its step. */
export interface ValidationLine extends ValidationSummary {
  readonly kind: "validation";
  /** ISO 8601, when it was measured. */
  readonly time: string;
}

export function validationLine(validation: ValidationSummary, time: Date): ValidationLine {
  return { kind: "validation", ...validation, time: time.toISOString() };
}

/** The whole lines of a file of JSON lines, from its start to the first that is not whole. */
export interface LinesRead<T> {
  readonly lines: readonly T[];
  /** Bytes that `lines` take. */
  readonly bytes: number;
}

/**
 * Reads JSON lines until the end, a line that was cut short, or one that `accepts` does not want.
 * A file that is not there has no lines.
 */
export async function readJsonLines<T>(
  path: string,
  accepts: (line: T) => boolean = () => true,
): Promise<LinesRead<T>> {
  const content = await readFile(path).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return Buffer.alloc(0);
    throw new InputError(`cannot be read (${messageOf(thrown)})`, { where: path });
  });
  const lines: T[] = [];
  let bytes = 0;
  for (let end = content.indexOf("\n"); end >= 0; end = content.indexOf("\n", bytes)) {
    const line = parseLine<T>(content.toString("utf8", bytes, end));
    if (line === undefined || !accepts(line)) break;
    lines.push(line);
    bytes = end + 1;
  }
  return { lines, bytes };
}

/** The steps of metrics.jsonl; `bytes` also counts the validations between their lines. */
export interface MetricsRead extends LinesRead<MetricsLine> {
  /** The steps whose validation stands there. */
  readonly validated: ReadonlySet<number>;
}

/** Reads the steps of metrics.jsonl up to `lastStep`. */
export async function readMetrics(path: string, lastStep = Number.POSITIVE_INFINITY): Promise<MetricsRead> {
  const known = (line: MetricsLine | ValidationLine) => Number.isInteger(line.step) && line.step <= lastStep;
  const { lines, bytes } = await readJsonLines(path, known);
  const validated = new Set(lines.filter(isValidation).map(({ step }) => step));
  return { lines: lines.filter((line): line is MetricsLine => !isValidation(line)), bytes, validated };
}

/** Reads the validations in metrics.jsonl of the steps up to `lastStep`, wherever they stand; of each step the last one. */
export async function readValidations(path: string, lastStep = Number.POSITIVE_INFINITY): Promise<ValidationLine[]> {
  const { lines } = await readJsonLines<MetricsLine | ValidationLine>(path);
  const found = lines.filter(isValidation).filter(({ step }) => step <= lastStep);
  return [...new Map(found.map((line) => [line.step, line])).values()].sort((a, b) => a.step - b.step);
}

/** What is read of a file's end at first; a step's line has some hundred bytes. */
const FIRST_END_BYTES = 8 * 1024;

/** The last whole line of a step, from the end of the file alone; undefined when there is none. */
export async function lastMetricsLine(path: string): Promise<MetricsLine | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    for (let bytes = FIRST_END_BYTES; ; bytes *= 8) {
      const line = lastStepIn(await endOf(file, size, bytes), bytes < size);
      if (line !== undefined || bytes >= size) return line;
    }
  } finally {
    await file.close();
  }
}

async function endOf(file: FileHandle, size: number, bytes: number): Promise<string> {
  const length = Math.min(size, bytes);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString("utf8", 0, bytesRead);
}

/** @param cut whether the text begins in the midst of a line */
function lastStepIn(text: string, cut: boolean): MetricsLine | undefined {
  // What stands behind the last line break is no whole line.
  const lines = text.split("\n").slice(cut ? 1 : 0, -1);
  for (const each of lines.reverse()) {
    const line = parseLine<MetricsLine | ValidationLine>(each);
    if (line !== undefined && Number.isInteger(line.step) && !isValidation(line)) return line;
  }
  return undefined;
}

function isValidation(line: MetricsLine | ValidationLine): line is ValidationLine {
  return "kind" in line && line.kind === "validation";
}

function parseLine<T>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
