// Convolution primitives of the simd backend against PyTorch with one thread: CPU time, interleaved, on one core.
//
//   npm run build && node bench/run.mjs conv [--rounds 21] [--core 1] [--json]

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import "@mzsr/tfjs-backend-simd";
import { median, type Side, startSide } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "21" },
    core: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});

/** Images [n, size, size, cIn], cOut output channels. */
interface Layer {
  readonly n: number;
  readonly size: number;
  readonly cIn: number;
  readonly cOut: number;
}

const LAYERS: readonly Layer[] = [
  { n: 8, size: 64, cIn: 64, cOut: 64 },
  { n: 8, size: 64, cIn: 3, cOut: 64 },
  { n: 8, size: 64, cIn: 64, cOut: 3 },
  { n: 8, size: 48, cIn: 32, cOut: 32 },
  { n: 8, size: 48, cIn: 3, cOut: 32 },
  { n: 8, size: 48, cIn: 32, cOut: 3 },
];

const PRIMITIVES = ["forward + bias + ReLU", "input gradient", "filter gradient"] as const;
type Primitive = (typeof PRIMITIVES)[number];

interface Result extends Layer {
  readonly primitive: Primitive;
  /** Median CPU milliseconds. */
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
}

/** Runs a primitive once and returns its CPU milliseconds. */
type Timed = (primitive: Primitive) => number | Promise<number>;

function ours({ n, size, cIn, cOut }: Layer): Timed {
  const x = tf.randomUniform([n, size, size, cIn], -1, 1);
  const dy = tf.randomUniform([n, size, size, cOut], -1, 1);
  const filter = tf.randomUniform([3, 3, cIn, cOut], -1, 1);
  const bias = tf.randomUniform([cOut], -1, 1);
  const attributes = { strides: 1, pad: "same", dataFormat: "NHWC", dilations: 1 };
  const run = (kernel: string, inputs: Record<string, tf.Tensor>, more: tf.NamedAttrMap) =>
    tf.engine().runKernel(kernel, inputs, { ...attributes, ...more }) as tf.Tensor;
  const operations: Record<Primitive, () => tf.Tensor> = {
    "forward + bias + ReLU": () => run("FusedConv2D", { x, filter, bias }, { activation: "relu" }),
    "input gradient": () => run("Conv2DBackpropInput", { dy, filter }, { inputShape: x.shape }),
    "filter gradient": () => run("Conv2DBackpropFilter", { x, dy }, { filterShape: filter.shape }),
  };
  return (primitive) => {
    const start = process.cpuUsage();
    const result = operations[primitive]();
    const { user, system } = process.cpuUsage(start);
    result.dispose();
    return (user + system) / 1000;
  };
}

async function measure(layer: Layer, peer: Side, rounds: number): Promise<Result[]> {
  const mine = ours(layer);
  const theirs: Timed = (primitive) => peer.ask<number>({ ...layer, primitive: PRIMITIVES.indexOf(primitive) });
  const results: Result[] = [];
  for (const primitive of PRIMITIVES) {
    const [a, b]: [number[], number[]] = [[], []];
    for (let round = -4; round < rounds; round++) {
      const pair = [await mine(primitive), await theirs(primitive)] as const;
      if (round < 0) continue;
      a.push(pair[0]);
      b.push(pair[1]);
    }
    results.push({ ...layer, primitive, ours: median(a), peer: median(b), ratio: median(a) / median(b) });
  }
  return results;
}

function printed({ n, size, cIn, cOut, primitive, ours, peer, ratio }: Result): string {
  const shape = `[${n},${size},${size}] ${cIn}→${cOut}`.padEnd(20);
  const rate = (2 * 9 * n * size * size * cIn * cOut) / ours / 1e6;
  const columns = [ours.toFixed(2), peer.toFixed(2), rate.toFixed(0), ratio.toFixed(2)].map((c) => c.padStart(10));
  return `${shape}${primitive.padEnd(24)}${columns.join("")}`;
}

async function main(): Promise<void> {
  execFileSync("taskset", ["-a", "-c", "-p", options.core, String(process.pid)], { stdio: "ignore" });
  await tf.setBackend("simd");
  const peer = startSide(options.core, "/usr/bin/python3", [fileURLToPath(new URL("peers/conv.py", import.meta.url))]);
  const results: Result[] = [];
  if (!options.json) console.log(`${"".padEnd(44)}   ours ms   PyTorch  GFLOP/s     ratio`);
  for (const layer of LAYERS) {
    for (const result of await measure(layer, peer, Number(options.rounds))) {
      results.push(result);
      if (!options.json) console.log(printed(result));
    }
  }
  peer.stop();
  if (options.json) console.log(JSON.stringify(results, null, 2));
}

await main();
