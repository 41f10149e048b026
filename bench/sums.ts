// What a coordinator does with each gradient: check, norm and exact sum, beside the plain sum in JavaScript and a mere copy.
//
//   npm run build && node bench/run.mjs sums [--size 225091] [--rounds 300] [--core 1] [--json]

import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { ExactSums, floatsFromBytes, LARGEST_COUNT } from "@mzsr/shared";
import { median } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    size: { type: "string", default: "225091" },
    rounds: { type: "string", default: "300" },
    core: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const size = Number(options.size);
const rounds = Number(options.rounds);

/** As many as do not stay in a cache, each at an odd address, as they arrive. */
const GRADIENTS = 16;
const GROUP = 8;

function gradient(seed: number): Uint8Array {
  const bytes = new Uint8Array(4 * size + 1).subarray(1);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i < size; i++) view.setFloat32(4 * i, Math.sin(i * 7 + seed) * 10 ** (((i * 31) % 13) - 8), true);
  return bytes;
}

const gradients = Array.from({ length: GRADIENTS }, (_, seed) => gradient(seed));
const sums = new ExactSums(size, 3);
const [sum, undone, group] = [sums.open(), sums.open(), sums.open()];
for (const one of gradients.slice(0, GROUP)) group.add(one);
const groupBytes = group.toBytes();

/** The sum in index order, its norm by itself, in JavaScript. */
const plain = new Float64Array(size);
function addInOrder(bytes: Uint8Array): number {
  const values = floatsFromBytes(bytes, "bench");
  let squares = 0;
  for (let i = 0; i < size; i++) squares += values[i]! * values[i]!;
  for (let i = 0; i < size; i++) plain[i] = plain[i]! + values[i]!;
  return squares;
}

const copy = new Uint8Array(4 * size);
const mean = new Float64Array(size);
const operations: Record<string, (bytes: Uint8Array) => unknown> = {
  "a gradient: check, norm, exact sum": (bytes) => sum.add(bytes),
  "the same, and taken out again": (bytes) => {
    undone.add(bytes);
    undone.subtract(bytes);
  },
  "a group: check, norm, exact sum": () => sum.addGroup(groupBytes),
  mean: () => group.mean(mean),
  "bytes of a group": () => group.toBytes(),
  "an emptied sum": () => undone.clear(),
  "JavaScript: norm, sum in index order": addInOrder,
  "a copy alone": (bytes) => copy.set(bytes),
};

/** CPU milliseconds of each operation, taken in turns, so that what disturbs the machine disturbs all of them. */
function measure(): Record<string, number[]> {
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(operations).map((name) => [name, []]));
  for (let round = -20; round < rounds; round++) {
    for (const [name, operation] of Object.entries(operations)) {
      for (let i = 0; i < 4; i++) {
        if (sum.count + GROUP > LARGEST_COUNT) sum.clear();
        const bytes = gradients[(round + 20 + i) % GRADIENTS]!;
        const start = process.cpuUsage();
        operation(bytes);
        const { user, system } = process.cpuUsage(start);
        if (round >= 0) times[name]!.push((user + system) / 1000);
      }
    }
  }
  return times;
}

execFileSync("taskset", ["-a", "-c", "-p", options.core, String(process.pid)], { stdio: "ignore" });
const results = Object.entries(measure()).map(([name, times]) => ({
  name,
  median: median(times),
  least: Math.min(...times),
}));
if (options.json) console.log(JSON.stringify({ size, results }, null, 2));
else {
  console.log(`${`${size} elements`.padEnd(40)}   CPU ms    least`);
  for (const { name, median, least } of results) {
    console.log(`${name.padEnd(40)}${median.toFixed(3).padStart(9)}${least.toFixed(3).padStart(9)}`);
  }
}
