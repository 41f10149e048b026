// Where a meta-step's wall time goes: the quick preset's meta-training with workers of one slot each on this machine,
// from what coordinator and workers log at level debug.
//
//   npm run build && node bench/run.mjs timeline [--workers 2] [--steps 120] [--set KEY=VALUE] [--svg FILE]

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type LogLine, MzsrProcess } from "@mzsr/testing/mzsr-process";
import { type Interval, timelinePicture } from "./timeline-picture.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    workers: { type: "string", default: "2" },
    steps: { type: "string", default: "120" },
    set: { type: "string", multiple: true, default: [] },
    svg: { type: "string" },
  },
});

/** Steps before the measurement, in which programs start and get compiled. */
const WARM_UP = 30;
/** Steps in the picture. */
const DRAWN = 8;

interface Recording {
  readonly intervals: readonly Interval[];
  /** Seconds since 1970. */
  readonly stepEnds: readonly number[];
}

async function record(folder: string, workers: number): Promise<Recording> {
  const level = ["--log-level", "debug"];
  const training = [
    "--preset",
    "quick",
    "--pretrain-steps",
    "0",
    "--steps",
    options.steps,
    "--run",
    join(folder, "run"),
  ];
  const sets = options.set.flatMap((pair) => ["--set", pair]);
  const coordinator = new MzsrProcess([
    "coordinator",
    ...training,
    ...sets,
    ...level,
    "--port",
    "0",
    "--http-port",
    "0",
  ]);
  const { grpc } = await coordinator.logged((line) => typeof line.grpc === "string");
  const where = ["--coordinator", grpc as string, "--cache-dir", join(folder, "cache"), "--slots", "1"];
  const processes = Array.from({ length: workers }, (_, i) => {
    const worker = `worker ${i + 1}`;
    return { worker, process: new MzsrProcess(["worker", ...where, ...level, "--name", `worker-${i + 1}`]) };
  });
  await coordinator.exit();
  for (const { process } of processes) await process.exit();
  const stepEnds = coordinator.log.filter(({ msg }) => msg === "step done").map(secondsOf);
  return { stepEnds, intervals: processes.flatMap(({ worker, process }) => intervalsOf(worker, process.log)) };
}

function secondsOf({ time }: LogLine): number {
  return (typeof time === "number" ? time : Date.parse(time as string)) / 1000;
}

/** Each line is written when its work is done and says how long it took. */
function intervalsOf(worker: string, lines: readonly LogLine[]): Interval[] {
  const ahead = new Set<string>();
  return lines.flatMap((line): Interval[] => {
    const end = secondsOf(line);
    const task = `${line.step}/${line.index}`;
    if (line.msg === "made data ahead") {
      ahead.add(task);
      return [{ worker, kind: "data", from: end - (line.seconds as number), to: end }];
    }
    if (line.msg !== "computed a task") return [];
    const begun = end - (line.computeSeconds as number);
    const compute: Interval = { worker, kind: "compute", from: begun, to: end };
    if (ahead.has(task)) return [compute];
    return [{ worker, kind: "data", from: begun - (line.dataSeconds as number), to: begun }, compute];
  });
}

/** Seconds of [from, to] in which at least one interval runs. */
function covered(intervals: readonly Interval[], from: number, to: number): number {
  const clipped = intervals
    .map((each) => ({ from: Math.max(from, each.from), to: Math.min(to, each.to) }))
    .filter((each) => each.to > each.from)
    .sort((a, b) => a.from - b.from);
  let [total, until] = [0, from];
  for (const each of clipped) {
    total += Math.max(0, each.to - Math.max(until, each.from));
    until = Math.max(until, each.to);
  }
  return total;
}

function report({ intervals, stepEnds }: Recording): void {
  const [from, to] = [stepEnds[WARM_UP]!, stepEnds.at(-1)!];
  const steps = stepEnds.length - 1 - WARM_UP;
  const percent = (seconds: number) => `${((100 * seconds) / (to - from)).toFixed(1)} %`;
  console.log(`a step takes ${((1000 * (to - from)) / steps).toFixed(0)} ms (${steps} steps)`);
  for (const worker of [...new Set(intervals.map((each) => each.worker))].sort()) {
    const own = intervals.filter((each) => each.worker === worker);
    const [data, compute] = (["data", "compute"] as const).map((kind) =>
      covered(
        own.filter((each) => each.kind === kind),
        from,
        to,
      ),
    ) as [number, number];
    const waiting = to - from - covered(own, from, to);
    console.log(`${worker}: data ${percent(data)}, meta-gradient ${percent(compute)}, waiting ${percent(waiting)}`);
  }
  console.log(`no worker computes: ${percent(to - from - covered(intervals, from, to))} of the time`);
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-timeline-"));
  try {
    const recording = await record(folder, Number(options.workers));
    report(recording);
    const { intervals, stepEnds } = recording;
    const middle = Math.floor((stepEnds.length + WARM_UP) / 2);
    const margin = (stepEnds[middle + 1]! - stepEnds[middle]!) / 4;
    const stretch = [stepEnds[middle]! - margin, stepEnds[middle + DRAWN]! + margin] as const;
    if (options.svg !== undefined) await writeFile(options.svg, timelinePicture(intervals, stepEnds, stretch));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
