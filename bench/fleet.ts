// What many workers cost one coordinator: the shipped program on the first core, pretend workers on the second that answer
// each lease at once with a gradient of the paper's size, one task a worker and step, or several that it answers with their sum; beside each row, in the same run,
// what bare TCP costs for the same bytes. The coordinator's processor time is what counts: the clock also waits for the
// pretend workers, and for whatever else the machine does.
//
//   npm run build && node bench/run.mjs fleet [--workers 16,64,256,1024] [--steps 20] [--seconds 60] [--json]
//   node bench/run.mjs fleet --workers 256,32x8,128x8          # 32 and 128 workers with groups of 8
//   node bench/run.mjs fleet --workers 64 --profile fleet.cpuprofile
//   node bench/run.mjs fleet --workers 64 --mtls                # each row also with certificates of both sides
//   node bench/run.mjs fleet --idle 1024,4096 [--seconds 30]

import { parseArgs } from "node:util";
import { CORES, type FleetFigures, measureFleet, measureIdle } from "./fleet/measure.js";
import { rawTcpBytesPerCpuSecond } from "./fleet/raw-tcp.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    workers: { type: "string", default: "16,64,256,32x8,1024,128x8" },
    steps: { type: "string", default: "20" },
    "warm-up": { type: "string", default: "5" },
    "heartbeat-seconds": { type: "string", default: "1" },
    seconds: { type: "string", default: "60" },
    depth: { type: "string", default: "8" },
    width: { type: "string", default: "64" },
    mtls: { type: "boolean", default: false },
    idle: { type: "string" },
    profile: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const seconds = Number(options.seconds);

// The coordinator must not outlive an interrupted measurement.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

interface Row extends FleetFigures {
  readonly rawBytesPerCpuSecond: number;
  /** Whether certificates of both sides encrypt it, and the throughput then as a share of that without, per processor time. */
  readonly mtls: boolean;
  readonly ofPlain?: number;
}

const COLUMNS: readonly [title: string, of: (row: Row) => string][] = [
  ["workers", ({ workers, mtls }) => `${workers}${mtls ? "+mTLS" : ""}`],
  ["tasks", ({ tasks }) => `${tasks}`],
  ["steps", ({ steps }) => `${steps}`],
  ["s a step", (row) => row.seconds.toFixed(3)],
  ["CPU s a step", ({ cpuSeconds }) => cpuSeconds.toFixed(3)],
  ["tasks per CPU s", ({ tasks, cpuSeconds }) => (tasks / cpuSeconds).toFixed(0)],
  ["MB per CPU s", (row) => (bytesPerCpuSecond(row) / 1e6).toFixed(0)],
  ["raw TCP", ({ rawBytesPerCpuSecond }) => (rawBytesPerCpuSecond / 1e6).toFixed(0)],
  ["ratio", (row) => (bytesPerCpuSecond(row) / row.rawBytesPerCpuSecond).toFixed(2)],
  ["RSS MB", ({ rssBytes }) => (rssBytes / 1e6).toFixed(0)],
  ["peak MB", ({ peakRssBytes }) => (peakRssBytes / 1e6).toFixed(0)],
  ["loop p99 ms", ({ loopP99Ms }) => loopP99Ms.toFixed(0)],
  ["of plain", ({ ofPlain }) => ofPlain?.toFixed(2) ?? ""],
];

function bytesPerCpuSecond({ bytes, cpuSeconds }: FleetFigures): number {
  return bytes / cpuSeconds;
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell, i) => cell.padStart(COLUMNS[i]![0].length + 2)).join(""));
}

/** @param fleet workers, and how many tasks each computes at a time: `32`, or `32x8` */
async function measureRow(fleet: string, mtls: boolean): Promise<Row | string> {
  const [workers, slots = 1] = fleet.split("x").map(Number) as [number, number?];
  const figures = await measureFleet({
    workers,
    slots,
    depth: Number(options.depth),
    width: Number(options.width),
    warmUpSteps: Number(options["warm-up"]),
    steps: Number(options.steps),
    heartbeatSeconds: Number(options["heartbeat-seconds"]),
    seconds,
    mtls,
    profile: options.profile,
  });
  if (typeof figures === "string") return figures;
  const exchange = {
    connections: workers,
    bytes: Math.round(figures.bytes / workers / 2),
    rounds: figures.steps,
    seconds,
  };
  const cores = { server: CORES.coordinator, clients: CORES.workers };
  return { ...figures, mtls, rawBytesPerCpuSecond: await rawTcpBytesPerCpuSecond(cores, exchange) };
}

function besidePlain(row: Row | string, plain: Row | string | undefined): Row | string {
  if (typeof row === "string" || plain === undefined || typeof plain === "string") return row;
  return { ...row, ofPlain: plain.cpuSeconds / row.cpuSeconds };
}

async function measureRows(): Promise<void> {
  if (!options.json) print(COLUMNS.map(([title]) => title));
  const rows: (Row | { readonly fleet: string; readonly problem: string })[] = [];
  const asked = options.workers
    .split(",")
    .flatMap((fleet) => (options.mtls ? [false, true] : [false]).map((mtls) => ({ fleet, mtls })));
  let plain: Row | string | undefined;
  for (const { fleet, mtls } of asked) {
    const measured = await measureRow(fleet, mtls);
    const row = mtls ? besidePlain(measured, plain) : measured;
    if (!mtls) plain = measured;
    rows.push(typeof row === "string" ? { fleet, problem: row } : row);
    if (options.json) continue;
    if (typeof row === "string") console.log(`${fleet.padStart(COLUMNS[0]![0].length + 2)}  ${row}`);
    else print(COLUMNS.map(([, of]) => of(row)));
  }
  if (options.json) console.log(JSON.stringify(rows, null, 2));
}

async function reportIdle(workers: number): Promise<void> {
  const figures = await measureIdle(workers, seconds);
  if (options.json) console.log(JSON.stringify(figures, null, 2));
  else if (typeof figures === "string") console.log(`${workers} idle workers: ${figures}`);
  else {
    const share = `${(100 * figures.shareOfACore).toFixed(1)} % of a core`;
    console.log(
      `${workers} idle workers, a heartbeat a second each: ${share}, ${(figures.rssBytes / 1e6).toFixed(0)} MB`,
    );
  }
}

if (options.idle === undefined) await measureRows();
else for (const workers of options.idle.split(",")) await reportIdle(Number(workers));
