/** What a run folder tells about a run, also one whose coordinator was killed in the middle of a line. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunEventRecord } from "@mzsr/shared";

/** A finished step. */
export interface StepRecord {
  readonly step: number;
  /** Hex SHA-256 of the parameters after it. */
  readonly hash: string;
  /** When it was finished, milliseconds since 1970. */
  readonly atMs: number;
  readonly tasks: number;
}

export async function readSteps(runFolder: string): Promise<StepRecord[]> {
  const lines = await readLines<{ step: number; theta_sha256: string; time: string; tasks: number }>(
    join(runFolder, "metrics.jsonl"),
  );
  return lines.map(({ step, theta_sha256, time, tasks }) => ({
    step,
    hash: theta_sha256,
    atMs: Date.parse(time),
    tasks,
  }));
}

export function readEvents(runFolder: string): Promise<RunEventRecord[]> {
  return readLines<RunEventRecord>(join(runFolder, "events.jsonl"));
}

/** Hex SHA-256 of a file; undefined when there is none. */
export async function fileSha256(path: string): Promise<string | undefined> {
  const content = await readFile(path).catch(() => undefined);
  return content && createHash("sha256").update(content).digest("hex");
}

/**
 * Every step that was ever written down, also those that a restart took back because their checkpoint was never written.
 */
export class StepHistory {
  readonly #byMoment = new Map<string, StepRecord>();

  add(steps: readonly StepRecord[]): void {
    for (const step of steps) this.#byMoment.set(`${step.step}@${step.atMs}`, step);
  }

  /** In the order in which they were finished. */
  get steps(): StepRecord[] {
    return [...this.#byMoment.values()].sort((a, b) => a.atMs - b.atMs);
  }
}

/** The steps of several run folders as one run's, each step once. */
export function mergeSteps(runs: readonly (readonly StepRecord[])[]): StepRecord[] {
  const byStep = new Map(runs.flat().map((step) => [step.step, step]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

async function readLines<T>(path: string): Promise<T[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as T];
    } catch {
      return [];
    }
  });
}
