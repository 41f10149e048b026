// Adapting to a photo with 10 steps at full size and enlarging it, on the simd backend against PyTorch with one
// thread: CPU time and peak memory of a process that does nothing else, interleaved, on one core.
//
//   npm run build && node bench/run.mjs adaptation [PHOTO] [--depth 8] [--width 64] [--updates 10] [--rounds 3]

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compared, HEADER, interleave, printed, startSide } from "./peer.js";

const { values: options, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    depth: { type: "string", default: "8" },
    width: { type: "string", default: "64" },
    updates: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    core: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const photo = positionals[0] ?? path("../../shared/data/set5/lr_g2.0_x2/baby.png");

async function main(): Promise<void> {
  if (!existsSync(photo)) throw new Error(`${photo} is not there: name a photo`);
  const ours = startSide(options.core, process.execPath, [path("sides/adaptation.mjs")]);
  const peer = startSide(options.core, "/usr/bin/python3", [path("peers/adaptation.py")]);
  const request = { photo, ...numbers(options) };
  const result = compared(await interleave(ours, peer, Number(options.rounds), request));
  ours.stop();
  peer.stop();
  if (options.json) console.log(JSON.stringify({ ...request, ...result }, null, 2));
  else
    console.log(
      `${HEADER}\n${printed(`depth ${options.depth}, width ${options.width}, ${options.updates} steps`, result)}`,
    );
}

function numbers({ depth, width, updates }: { depth: string; width: string; updates: string }) {
  return { depth: Number(depth), width: Number(width), updates: Number(updates) };
}

await main();
