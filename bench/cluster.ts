// What a second worker gives, and how much of a step's time is not computation: `mzsr up` with one worker and with two,
// one slot each, in turn. Tasks per second are those of the steps that all workers had a part in, by metrics.jsonl; how
// busy the workers are is their own word, between the first and the last time that all were seen computing. So starting
// up does not count.
//
//   npm run build && node bench/run.mjs cluster [--rounds 3] [--steps 60] [--preset quick] [--set KEY=VALUE] [--json]

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { MzsrProcess } from "../test/support/mzsr-process.js";
import { median } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "3" },
    steps: { type: "string", default: "60" },
    preset: { type: "string", default: "quick" },
    set: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  },
});

const POLL_MS = 250;

/** What the workers said at one moment. */
interface Sample {
  readonly seconds: number;
  /** Time that tasks took on the workers, data and computation, all workers together. */
  readonly busySeconds: number;
}

interface Rate {
  readonly tasksPerSecond: number;
  /** Share of the workers' time in which they had a task in hand. */
  readonly busyShare: number;
}

async function measure(workers: number): Promise<Rate> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-bench-"));
  const args = ["--preset", options.preset, "--pretrain-steps", "0", "--steps", options.steps, "--slots", "1"];
  args.push(...options.set.flatMap((pair) => ["--set", pair]), "--workers", `${workers}`, "--run", join(folder, "run"));
  const up = new MzsrProcess(["up", ...args]);
  try {
    const samples = await sampled(await up.said(/^Page (http:\/\/\S+)/), workers, up.exit());
    const tasksPerSecond = await taskRate(join(folder, "run", "metrics.jsonl"), workers);
    return { tasksPerSecond, busyShare: busyShare(samples[0], samples.at(-1), workers) };
  } finally {
    await up.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Samples while all workers compute, until the run ends. */
async function sampled(page: string, workers: number, ended: Promise<unknown>): Promise<Sample[]> {
  const samples: Sample[] = [];
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!over) {
    const sample = await sampleOf(page, workers).catch(() => undefined);
    if (sample !== undefined) samples.push(sample);
    await delay(POLL_MS);
  }
  return samples;
}

async function sampleOf(page: string, workers: number): Promise<Sample | undefined> {
  const groups = (await (await fetch(`${page}/sd`)).json()) as { targets: string[] }[];
  const pages = await Promise.all(
    groups.flatMap(({ targets }) => targets.map(async (t) => (await fetch(`http://${t}/metrics`)).text())),
  );
  const seconds = performance.now() / 1000;
  const counts = pages.map((text) => total(text, "mzsr_worker_task_seconds_count", 'part="compute"'));
  if (counts.filter((count) => count > 0).length < workers) return undefined;
  const busy = pages.map((text) => total(text, "mzsr_worker_task_seconds_sum", ""));
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return { seconds, busySeconds: sum(busy) };
}

/** Sum of a metric's samples whose labels contain `label`. */
function total(text: string, metric: string, label: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`${metric}{`) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** Tasks per second from the end of the first step that all workers were there for to the end of the last one. */
async function taskRate(metrics: string, workers: number): Promise<number> {
  const lines = (await readFile(metrics, "utf8")).trim().split("\n");
  const steps = lines.map((line) => JSON.parse(line) as { time: string; tasks: number; workers: number });
  const [first, ...rest] = steps.filter((step) => step.workers === workers);
  if (first === undefined || rest.length === 0) throw new Error("too few steps to measure");
  const seconds = (Date.parse(rest.at(-1)!.time) - Date.parse(first.time)) / 1000;
  return rest.reduce((sum, { tasks }) => sum + tasks, 0) / seconds;
}

/** A task's time counts when it ends, so the share is right to one task at each end. */
function busyShare(first: Sample | undefined, last: Sample | undefined, workers: number): number {
  if (first === undefined || last === undefined) throw new Error("the workers were never seen computing");
  return (last.busySeconds - first.busySeconds) / (workers * (last.seconds - first.seconds));
}

async function main(): Promise<void> {
  const rates: Record<1 | 2, Rate[]> = { 1: [], 2: [] };
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const workers of [1, 2] as const) rates[workers].push(await measure(workers));
  }
  const typical = (runs: readonly Rate[]): Rate => ({
    tasksPerSecond: median(runs.map(({ tasksPerSecond }) => tasksPerSecond)),
    busyShare: median(runs.map(({ busyShare }) => busyShare)),
  });
  const [one, two] = [typical(rates[1]), typical(rates[2])];
  const speedup = median(rates[2].map((rate, i) => rate.tasksPerSecond / rates[1][i]!.tasksPerSecond));
  if (options.json) return console.log(JSON.stringify({ one, two, speedup }, null, 2));
  const row = (name: string, { tasksPerSecond, busyShare }: Rate) =>
    console.log(
      `${name}  ${tasksPerSecond.toFixed(2)} tasks/s, workers busy ${(100 * busyShare).toFixed(1)} % of the time`,
    );
  row("1 worker ", one);
  row("2 workers", two);
  console.log(`a second worker gives ${speedup.toFixed(2)} times the tasks per second`);
}

await main();
