/**
 * The lines of metrics.jsonl, replicated in segments beside the checkpoints, so that the run folder of whoever takes a
 * run over has a line for every step.
 */
import { appendFile, mkdir, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { type MetricsLine, readMetrics } from "../run/metrics-log.js";
import type { LeaderStore } from "./leader-store.js";

type Objects = Pick<LeaderStore, "objectNames" | "putObject" | "getObject">;

interface Segment {
  readonly object: string;
  readonly first: number;
  readonly last: number;
}

/** The leader's side. */
export class MetricsReplica {
  readonly #objects: Objects;
  /** Lines that no segment holds yet, in the order of their steps. */
  #waiting: MetricsLine[];

  private constructor(objects: Objects, waiting: MetricsLine[]) {
    this.#objects = objects;
    this.#waiting = waiting;
  }

  /** Begins with the lines that stand in `path` already, as far as they are not replicated. */
  static async begin(objects: Objects, path: string, lastStep: number): Promise<MetricsReplica> {
    const covered = Math.max(0, ...(await segmentsIn(objects)).map(({ last }) => last));
    const { lines } = await readMetrics(path, lastStep);
    return new MetricsReplica(
      objects,
      lines.filter(({ step }) => step > covered),
    );
  }

  add(line: MetricsLine): void {
    this.#waiting.push(line);
  }

  /** Replicates the lines up to `step`. */
  async put(step: number, holder: string): Promise<void> {
    const lines = this.#waiting.filter((line) => line.step <= step);
    const [first, last] = [lines[0], lines.at(-1)];
    if (first === undefined || last === undefined) return;
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    await this.#objects.putObject(`metrics-${first.step}-${last.step}-${holder}`, Buffer.from(text));
    this.#waiting = this.#waiting.filter((line) => line.step > step);
  }
}

/** A standby's side: adds to the file at `path` the replicated lines that it lacks, up to `lastStep`. */
export async function fetchMetrics(objects: Objects, path: string, lastStep: number): Promise<void> {
  const { lines, bytes } = await readMetrics(path);
  let known = lines.at(-1)?.step ?? 0;
  const wanted = (await segmentsIn(objects)).filter(({ last }) => last > known);
  if (wanted.length === 0) return;
  await mkdir(dirname(path), { recursive: true });
  if (lines.length > 0) await truncate(path, bytes);
  for (const { object } of wanted.sort((a, b) => a.first - b.first)) {
    const text = Buffer.from(await objects.getObject(object)).toString("utf8");
    for (const line of text.split("\n").filter((each) => each !== "")) {
      const { step } = JSON.parse(line) as MetricsLine;
      // Two leaders may have replicated the same steps: their lines say the same.
      if (step !== known + 1 || step > lastStep) continue;
      await appendFile(path, `${line}\n`);
      known = step;
    }
  }
}

async function segmentsIn(objects: Objects): Promise<Segment[]> {
  return (await objects.objectNames()).flatMap((object) => {
    const match = /^metrics-(\d+)-(\d+)-/.exec(object);
    return match === null ? [] : [{ object, first: Number(match[1]), last: Number(match[2]) }];
  });
}
