// What a second worker gives: a cluster of one worker and one of two, one slot each; beside them, what the machine allows:
// one process and two that do nothing but compute such tasks, each pinned to a core. In turn, each once its programs have
// got compiled, which one worker leaves to the idle core; medians over the rounds.
//
//   npm run build && node bench/run.mjs cluster [--rounds 4] [--seconds 30] [--preset quick] [--set KEY=VALUE] [--json]

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadConfiguration, type PresetName, parseOverride } from "@mzsr/shared";
import { MzsrProcess } from "../test/support/mzsr-process.js";
import { median, startSide } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "4" },
    seconds: { type: "string", default: "30" },
    preset: { type: "string", default: "quick" },
    set: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  },
});

const measuredMs = 1000 * Number(options.seconds);

const TASK = fileURLToPath(new URL("sides/task.mjs", import.meta.url));
/** Time in which a cluster's programs get compiled. */
const WARM_UP_MS = 20_000;
/** Tasks in which a bare process gets compiled. */
const BARE_WARM_UP = 5;

async function clusterRate(workers: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-bench-"));
  const run = ["--run", join(folder, "run"), "--preset", options.preset, "--pretrain-steps", "0", "--steps", "1000000"];
  const sets = options.set.flatMap((pair) => ["--set", pair]);
  const up = new MzsrProcess(["up", ...run, ...sets, "--workers", `${workers}`, "--slots", "1"]);
  try {
    await up.said(new RegExp(`^(meta-training [1-9].* ${workers} worker)`));
    await delay(WARM_UP_MS);
    const start = Date.now();
    await delay(measuredMs);
    return await rateSince(start, join(folder, "run", "metrics.jsonl"));
  } finally {
    up.signal("SIGINT");
    await up.exit();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Tasks per second from the end of the first step after `start`, in ms since 1970, to the end of the last one. */
async function rateSince(start: number, metrics: string): Promise<number> {
  const lines = (await readFile(metrics, "utf8")).split("\n").slice(0, -1);
  const steps = lines.map((line) => JSON.parse(line) as { time: string; tasks: number });
  const [first, ...rest] = steps.filter(({ time }) => Date.parse(time) >= start);
  if (first === undefined || rest.length === 0) throw new Error("too few steps to measure: give more --seconds");
  const seconds = (Date.parse(rest.at(-1)!.time) - Date.parse(first.time)) / 1000;
  return rest.reduce((sum, { tasks }) => sum + tasks, 0) / seconds;
}

/** Tasks per second of processes that share nothing, a core each. */
async function bareRate(processes: number, task: object): Promise<number> {
  const sides = Array.from({ length: processes }, (_, core) => startSide(`${core}`, process.execPath, [TASK]));
  try {
    await Promise.all(
      sides.map(async (side) => {
        for (let i = 0; i < BARE_WARM_UP; i++) await side.ask(task);
      }),
    );
    const rates = await Promise.all(
      sides.map(async (side) => {
        const start = performance.now();
        let done = 0;
        for (; performance.now() - start < measuredMs; done++) await side.ask(task);
        return (1000 * done) / (performance.now() - start);
      }),
    );
    return rates.reduce((sum, rate) => sum + rate, 0);
  } finally {
    for (const side of sides) side.stop();
  }
}

async function bareTask(): Promise<object> {
  const overrides = options.set.map(parseOverride);
  const { model, metaTraining } = await loadConfiguration({ preset: options.preset as PresetName, overrides });
  const { support, patchSize, innerSteps } = metaTraining;
  return { ...model, patches: support, side: patchSize, innerSteps, keptSteps: 1 };
}

interface Rates {
  readonly one: number[];
  readonly two: number[];
}

function summaryOf(rates: Rates) {
  const [one, two] = [median(rates.one), median(rates.two)];
  return { one, two, speedup: two / one, rounds: rates };
}

async function main(): Promise<void> {
  const task = await bareTask();
  const cluster: Rates = { one: [], two: [] };
  const bare: Rates = { one: [], two: [] };
  for (let round = 0; round < Number(options.rounds); round++) {
    cluster.one.push(await clusterRate(1));
    cluster.two.push(await clusterRate(2));
    bare.one.push(await bareRate(1, task));
    bare.two.push(await bareRate(2, task));
  }
  const result = { cluster: summaryOf(cluster), bare: summaryOf(bare) };
  if (options.json) return console.log(JSON.stringify(result, null, 2));
  for (const [name, { one, two, speedup }] of Object.entries(result)) {
    console.log(`${name.padEnd(7)}  ${one.toFixed(2)} → ${two.toFixed(2)} tasks/s, × ${speedup.toFixed(2)}`);
  }
}

await main();
