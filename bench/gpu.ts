// The engine on a GPU, beside PyTorch and TensorFlow.js' own WebGPU backend in the same run: golden cases, tasks per
// second, share of the card's peak, memory, GPU time by kernel; seconds of one photo. One to six minutes; the table comes
// last. Without a GPU it measures what a batch costs the host, on Dawn's null backend.
//
//   npm run bench:gpu [-- --memory 40 --seconds 4 --peak 67 --no-peers]

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type EngineDevice, openDevice } from "@mzsr/engine-webgpu";
import { BATCHES, CASES } from "./gpu/cases.js";
import { hostTime } from "./gpu/host-time.js";
import { engineSpeed, worstGoldenError } from "./gpu/own-engine.js";
import { type PeerSpeed, runPeer } from "./gpu/peers.js";
import { PHOTO_CASE, photoLine, photoSpeed } from "./gpu/photo.js";
import { engineLine, HEADER, peakOf, peerLine } from "./gpu/table.js";

const { values: options } = parseArgs({
  options: {
    memory: { type: "string", default: "16" },
    seconds: { type: "string", default: "4" },
    peak: { type: "string" },
    "no-peers": { type: "boolean", default: false },
  },
});
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function main(): Promise<void> {
  await printHostTimes();
  const device = await openGpu();
  if (device === undefined) return;
  for (const [convolutions] of BATCHES) {
    const worst = await worstGoldenError(device, new URL("../test/golden/", import.meta.url), convolutions);
    const verdict = worst < 1e-4 ? "all within 1e-4" : "FAILED";
    console.log(`golden cases, ${convolutions} convolutions: worst tensor ${worst.toExponential(1)}, ${verdict}`);
    if (worst >= 1e-4) process.exitCode = 1;
  }
  const lines = await measureEngine(device);
  console.log(photoLine(PHOTO_CASE, await photoSpeed(device, PHOTO_CASE, Number(options.memory) * 1e9)));
  device.destroy();
  const peers = options["no-peers"] ? [] : await measurePeers();
  console.log(`\n${HEADER}`);
  for (const { name } of CASES) {
    for (const line of [...lines, ...peers.map(peerLine)]) if (line.startsWith(name)) console.log(line);
  }
}

async function printHostTimes(): Promise<void> {
  console.log("host time of a batch on Dawn's null backend (all threads' processor time):");
  for (const each of CASES) {
    for (const count of [1, 8]) {
      const { tasks, dispatches, milliseconds } = await hostTime(each, count);
      if (tasks < count) console.log(`  ${each.name}, ${count} tasks: more memory than the null backend grants`);
      else console.log(`  ${each.name}, ${tasks} tasks: ${milliseconds.toFixed(2)} ms, ${dispatches} dispatches`);
    }
  }
}

/** A real GPU, or undefined after saying why there is none. */
async function openGpu(): Promise<EngineDevice | undefined> {
  try {
    const device = await openDevice({ profile: true });
    console.log(`GPU: ${device.description.name}`);
    if (!device.description.isSoftware) return device;
    console.log("it computes on the CPU; without a GPU nothing else is measured");
    device.destroy();
  } catch (thrown) {
    console.log(`${thrown instanceof Error ? thrown.message : thrown}\nwithout a GPU nothing else is measured`);
  }
  return undefined;
}

async function measureEngine(device: EngineDevice): Promise<string[]> {
  const peak = options.peak === undefined ? peakOf(device.description.name) : Number(options.peak);
  const measure = { memoryBytes: Number(options.memory) * 1e9, seconds: Number(options.seconds) };
  const lines: string[] = [];
  for (const each of CASES) {
    for (const [convolutions, tasks] of BATCHES.flatMap(([way, all]) => all.map((tasks) => [way, tasks] as const))) {
      const speed = await engineSpeed(device, each, { ...measure, convolutions, tasks });
      lines.push(engineLine(each, speed, peak));
      console.log(`${lines.at(-1)}\n  ${speed.memory}`);
      for (const { kernel, dispatches, seconds } of speed.kernels.slice(0, 12)) {
        console.log(`    ${(1000 * seconds).toFixed(3).padStart(9)} ms  ${String(dispatches).padStart(3)} × ${kernel}`);
      }
    }
  }
  return lines;
}

async function measurePeers(): Promise<PeerSpeed[]> {
  const python = await runPeer("python3", [path("peers/gpu.py"), JSON.stringify(CASES)], 150);
  if (python.problem !== undefined) console.log(`PyTorch: ${python.problem}`);
  const tfjs = await runPeer(process.execPath, [path("sides/tfjs-webgpu.mjs"), JSON.stringify(CASES)], 60);
  if (tfjs.problem !== undefined) console.log(`TensorFlow.js: ${tfjs.problem}`);
  return [...python.speeds, ...tfjs.speeds];
}

await main();
// Dawn keeps the process alive.
process.exit();
