// npm run fuzz -- [--inputs N] [--seed N]: N changed inputs to each parser, those that are slow by nature fewer
// (test/fuzz/targets.ts). Ends with 1 where one threw what is not ours, or cost too much.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { inputs, seed } = parseArgs({
  options: { inputs: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
}).values;
for (const [option, value] of Object.entries({ inputs, seed })) {
  if (/^\d{1,10}$/.test(value)) continue;
  console.error(`fuzz: --${option} ${value}: expected a whole number`);
  process.exit(2);
}
const env = { ...process.env, MZSR_FUZZ_INPUTS: inputs, MZSR_FUZZ_SEED: seed };
const { status } = spawnSync("npx", ["--no-install", "vitest", "run", "test/fuzz"], { env, stdio: "inherit" });
process.exit(status ?? 1);
