// What a second worker gives: a cluster of one worker and one of two, one slot each; beside them, what the machine allows:
// one process and two that do nothing but compute such tasks, each pinned to a core.
//
// A virtual machine's speed changes from one half minute to the next. So all are started first, get compiled, and then
// have short turns, in which the processes of the others are stopped. The figure is the median of the rounds' ratios.
//
//   npm run build && node bench/run.mjs cluster [--rounds 12] [--seconds 8] [--preset quick] [--set KEY=VALUE] [--json]

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadConfiguration, parseOverride } from "@mzsr/shared";
import { MzsrProcess } from "@mzsr/testing/mzsr-process";
import { descendantsOf } from "@mzsr/testing/process-tree";
import { median, startSide } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "12" },
    seconds: { type: "string", default: "8" },
    preset: { type: "string", default: "quick" },
    set: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  },
});

const turnMs = 1000 * Number(options.seconds);

const TASK = fileURLToPath(new URL("sides/task.mjs", import.meta.url));
/** Time in which a cluster's programs get compiled. */
const WARM_UP_MS = 30_000;
/** Tasks in which a bare process gets compiled. */
const BARE_WARM_UP = 5;
/** Time that a cluster which was stopped has to find its pace before it is measured. */
const SETTLE_MS = 1_000;

/** Something that computes tasks, but only when it has its turn. */
interface Contender {
  /** Tasks per second of a turn. */
  turn(): Promise<number>;
  end(): Promise<void>;
}

async function cluster(workers: number): Promise<Contender> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-bench-"));
  const run = ["--run", join(folder, "run"), "--preset", options.preset, "--pretrain-steps", "0", "--steps", "1000000"];
  const sets = options.set.flatMap((pair) => ["--set", pair]);
  const up = new MzsrProcess(["up", ...run, ...sets, "--workers", `${workers}`, "--slots", "1"]);
  await up.said(new RegExp(`^(meta-training [1-9].* ${workers} worker)`));
  await delay(WARM_UP_MS);
  await signalAll(up, "SIGSTOP");
  return {
    async turn() {
      await signalAll(up, "SIGCONT");
      await delay(SETTLE_MS);
      const start = Date.now();
      await delay(turnMs);
      await signalAll(up, "SIGSTOP");
      return rateSince(start, join(folder, "run", "metrics.jsonl"));
    },
    async end() {
      await signalAll(up, "SIGCONT");
      up.signal("SIGINT");
      await up.exit();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function signalAll(up: MzsrProcess, name: NodeJS.Signals): Promise<void> {
  for (const { pid } of [up, ...(await descendantsOf(up.pid))]) process.kill(pid, name);
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

/** Processes that share nothing, a core each. */
async function bare(processes: number, task: object): Promise<Contender> {
  const sides = Array.from({ length: processes }, (_, core) => startSide(`${core}`, process.execPath, [TASK]));
  await Promise.all(
    sides.map(async (side) => {
      for (let i = 0; i < BARE_WARM_UP; i++) await side.ask(task);
    }),
  );
  const rateOf = async (side: (typeof sides)[number]) => {
    const start = performance.now();
    let done = 0;
    for (; performance.now() - start < turnMs; done++) await side.ask(task);
    return (1000 * done) / (performance.now() - start);
  };
  return {
    turn: async () => (await Promise.all(sides.map(rateOf))).reduce((sum, rate) => sum + rate, 0),
    async end() {
      for (const side of sides) side.stop();
    },
  };
}

async function bareTask(): Promise<object> {
  const overrides = options.set.map(parseOverride);
  const { model, metaTraining } = await loadConfiguration({ preset: options.preset, overrides });
  const { support, patchSize, innerSteps } = metaTraining;
  return { ...model, patches: support, side: patchSize, innerSteps, keptSteps: 1 };
}

function summaryOf(one: readonly number[], two: readonly number[]) {
  const speedups = one.map((rate, round) => two[round]! / rate);
  return { one: median(one), two: median(two), speedup: median(speedups), rounds: { one, two, speedups } };
}

async function main(): Promise<void> {
  const task = await bareTask();
  const contenders: Contender[] = [];
  try {
    contenders.push(await cluster(1), await cluster(2), await bare(1, task), await bare(2, task));
    const rates = contenders.map((): number[] => []);
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [i, contender] of contenders.entries()) rates[i]!.push(await contender.turn());
    }
    const result = { cluster: summaryOf(rates[0]!, rates[1]!), bare: summaryOf(rates[2]!, rates[3]!) };
    const lines = Object.entries(result).map(([name, summary]) => lineOf(name, summary));
    console.log(options.json ? JSON.stringify(result, null, 2) : lines.join("\n"));
  } finally {
    for (const contender of contenders) await contender.end();
  }
}

function lineOf(name: string, { one, two, speedup, rounds }: ReturnType<typeof summaryOf>): string {
  const [least, most] = [Math.min(...rounds.speedups), Math.max(...rounds.speedups)];
  const range = `(${least.toFixed(2)} to ${most.toFixed(2)})`;
  return `${name.padEnd(7)}  ${one.toFixed(2)} → ${two.toFixed(2)} tasks/s, × ${speedup.toFixed(2)} ${range}`;
}

await main();
