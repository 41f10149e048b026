/** `npm run simulate -- --seeds 10000`, or `--seed N` to see one run line by line; `--crowd` for a thousand workers each. */
import { parseArgs } from "node:util";
import { pipeliningTable } from "./pipelining.js";
import { crowdScenario, drawScenario, type Scenario } from "./scenario.js";
import { simulate } from "./simulate.js";

const USAGE =
  "usage: npm run simulate -- [--seeds COUNT] [--first SEED] [--crowd] | --seed SEED [--crowd] | --pipelining";

function main(): number {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      first: { type: "string" },
      crowd: { type: "boolean" },
      pipelining: { type: "boolean" },
    },
  });
  if (values.pipelining) {
    process.stdout.write(pipeliningTable());
    return 0;
  }
  const scenarioOf = values.crowd ? crowdScenario : drawScenario;
  if (values.seed !== undefined) return repeatSeed(scenarioOf(whole(values.seed)));
  return sweep(scenarioOf, whole(values.first ?? "1"), whole(values.seeds ?? "200"));
}

function repeatSeed(scenario: Scenario): number {
  const result = simulate(scenario, (line) => process.stdout.write(`${line}\n`));
  process.stdout.write(`${JSON.stringify({ configuration: scenario.configuration, workers: scenario.workers })}\n`);
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  return result.violations.length === 0 ? 0 : 1;
}

function sweep(scenarioOf: (seed: number) => Scenario, first: number, count: number): number {
  const totals = { faults: 0, seconds: 0, unpromised: 0, failed: 0, slowest: 0 };
  const counts: Record<string, number> = {};
  const started = process.hrtime.bigint();
  for (let seed = first; seed < first + count; seed++) {
    const result = simulate(scenarioOf(seed));
    totals.faults += result.faults;
    totals.seconds += result.seconds;
    totals.slowest = Math.max(totals.slowest, result.slowest);
    for (const [name, count] of Object.entries(result.counts)) counts[name] = (counts[name] ?? 0) + count;
    if (!result.bitsPromised) totals.unpromised++;
    if (result.violations.length === 0) continue;
    totals.failed++;
    process.stdout.write(`seed ${seed}: ${result.violations[0]}; repeat it with --seed ${seed}\n`);
  }
  const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { user, system } = process.cpuUsage();
  const happened = Object.entries(counts).map(([name, times]) => `${name} ${times}`);
  process.stdout.write(
    `${count - totals.failed} of ${count} seeds passed in ${wallSeconds.toFixed(1)} s ` +
      `(${((user + system) / 1e6).toFixed(1)} s of processor time): ${totals.faults} faults in ` +
      `${(totals.seconds / 3600).toFixed(1)} simulated hours; in ${totals.unpromised} a wrong number met a skipped audit; ` +
      `the longest step took ${totals.slowest.toFixed(2)} of its bound\n` +
      `${happened.join(", ")}\n`,
  );
  return totals.failed === 0 ? 0 : 1;
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`${JSON.stringify(text)} is not a count or seed\n${USAGE}\n`);
  process.exit(2);
}

process.exitCode = main();
