/** metrics.jsonl: one line per step (docs/design.md §8), with snake_case keys. */
import { readFile } from "node:fs/promises";
import { InputError, messageOf } from "@mzsr/mzsr";
import type { StepSummary } from "@mzsr/shared";

/** A line of metrics.jsonl. */
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

/** Reads the steps of metrics.jsonl up to `lastStep`. */
export async function readMetrics(path: string, lastStep = Number.POSITIVE_INFINITY): Promise<LinesRead<MetricsLine>> {
  return readJsonLines<MetricsLine>(path, (line) => Number.isInteger(line.step) && line.step <= lastStep);
}

function parseLine<T>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
