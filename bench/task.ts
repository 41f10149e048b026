// One second-order task on the simd backend against PyTorch with one thread: CPU time and peak memory of a process
// that does nothing else, interleaved, on one core.
//
//   npm run build && node bench/run.mjs task [--rounds 7] [--core 1] [--json]

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compared, HEADER, interleave, printed, startSide } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "7" },
    core: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});

/** `keptSteps`: inner steps whose activations are kept instead of recomputed; the peer keeps all. */
const TASKS = [
  { depth: 8, width: 64, patches: 4, side: 48, innerSteps: 5, keptSteps: 1 },
  { depth: 8, width: 64, patches: 4, side: 48, innerSteps: 5, keptSteps: 5 },
  { depth: 5, width: 32, patches: 4, side: 48, innerSteps: 1, keptSteps: 1 },
  { depth: 5, width: 32, patches: 4, side: 48, innerSteps: 3, keptSteps: 1 },
];

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function main(): Promise<void> {
  const results = [];
  if (!options.json) console.log(HEADER);
  for (const task of TASKS) {
    const ours = startSide(options.core, process.execPath, [path("sides/task.mjs")]);
    const peer = startSide(options.core, "/usr/bin/python3", [path("peers/task.py")]);
    const result = compared(await interleave(ours, peer, Number(options.rounds), task));
    ours.stop();
    peer.stop();
    results.push({ ...task, ...result });
    const { depth, width, innerSteps, keptSteps } = task;
    const name = `depth ${depth}, width ${width}, ${innerSteps} inner steps, ${keptSteps} kept`;
    if (!options.json) console.log(printed(name, result));
  }
  if (options.json) console.log(JSON.stringify(results, null, 2));
}

await main();
