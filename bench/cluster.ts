// What a second worker gives: `mzsr up` with one worker and with two, one slot each, in turn. Tasks per second are those
// of the steps that all workers had a part in, by metrics.jsonl, so starting up does not count. Beside them, what the
// machine allows: one process and two that do nothing but compute such tasks, each pinned to a core.
//
//   npm run build && node bench/run.mjs cluster [--rounds 3] [--steps 120] [--preset quick] [--set KEY=VALUE] [--json]

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadConfiguration, type PresetName, parseOverride } from "@mzsr/shared";
import { MzsrProcess } from "../test/support/mzsr-process.js";
import { median, startSide } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "3" },
    steps: { type: "string", default: "120" },
    preset: { type: "string", default: "quick" },
    set: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  },
});

const TASK = fileURLToPath(new URL("sides/task.mjs", import.meta.url));
/** Tasks in which a bare process gets compiled, and for how long it is measured then. */
const BARE_WARM_UP = 5;
const BARE_SECONDS = 10;

async function clusterRate(workers: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-bench-"));
  const args = ["--preset", options.preset, "--pretrain-steps", "0", "--steps", options.steps, "--slots", "1"];
  args.push(...options.set.flatMap((pair) => ["--set", pair]), "--workers", `${workers}`, "--run", join(folder, "run"));
  const up = new MzsrProcess(["up", ...args]);
  try {
    await up.exit();
    return await rateOfSteps(join(folder, "run", "metrics.jsonl"), workers);
  } finally {
    await up.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Tasks per second from the end of the first step that all workers were there for to the end of the last one. */
async function rateOfSteps(metrics: string, workers: number): Promise<number> {
  const lines = (await readFile(metrics, "utf8")).trim().split("\n");
  const steps = lines.map((line) => JSON.parse(line) as { time: string; tasks: number; workers: number });
  const [first, ...rest] = steps.filter((step) => step.workers === workers);
  if (first === undefined || rest.length === 0) throw new Error("too few steps to measure");
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
        const seconds = () => (performance.now() - start) / 1000;
        let done = 0;
        for (; seconds() < BARE_SECONDS; done++) await side.ask(task);
        return done / seconds();
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
  const summary = ({ one, two }: Rates) => ({
    one: median(one),
    two: median(two),
    speedup: median(two.map((rate, i) => rate / one[i]!)),
  });
  const result = { cluster: summary(cluster), bare: summary(bare) };
  if (options.json) return console.log(JSON.stringify(result, null, 2));
  for (const [name, { one, two, speedup }] of Object.entries(result)) {
    console.log(`${name.padEnd(7)}  ${one.toFixed(2)} → ${two.toFixed(2)} tasks/s, × ${speedup.toFixed(2)}`);
  }
}

await main();
