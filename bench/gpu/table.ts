import { type GpuCase, operationsOf } from "./cases.js";
import type { EngineSpeed } from "./own-engine.js";
import type { PeerSpeed } from "./peers.js";

/** FP32 without matrix units, in TFLOP/s by their makers' word, of cards whose name has this part. */
const PEAKS: readonly (readonly [string, number])[] = [
  ["H200", 67],
  ["H100 PCIe", 51],
  ["H100", 67],
  ["A100", 19.5],
  ["L40S", 91.6],
  ["L4", 30.3],
  ["T4", 8.1],
  ["V100", 15.7],
  ["RTX 4090", 82.6],
];

export function peakOf(card: string): number | undefined {
  return PEAKS.find(([part]) => card.includes(part))?.[1];
}

/** Width of the column that says what was measured. */
const WHAT = 34;

/** One line of the table. */
export function engineLine(each: GpuCase, speed: EngineSpeed, peak: number | undefined): string {
  const teraflops = (speed.tasksPerSecond * operationsOf(each)) / 1e12;
  const share = peak === undefined ? "" : `${((100 * teraflops) / peak).toFixed(0)} %`;
  const columns = [
    each.name.padEnd(6),
    `this engine, ${speed.convolutions}, ${speed.tasks} a batch`.padEnd(WHAT),
    speed.tasksPerSecond.toFixed(1).padStart(9),
    teraflops.toFixed(1).padStart(9),
    share.padStart(6),
    `${(speed.bytes / 1e9).toFixed(2)} GB`.padStart(9),
  ];
  return columns.join("  ");
}

export function peerLine({ case: name, what, tasksPerSecond }: PeerSpeed): string {
  return [name.padEnd(6), what.padEnd(WHAT), tasksPerSecond.toFixed(1).padStart(9)].join("  ");
}

export const HEADER = `${"task".padEnd(6)}  ${"".padEnd(WHAT)}  ${"tasks/s".padStart(9)}  ${"TFLOP/s".padStart(9)}  ${"peak".padStart(6)}  ${"memory".padStart(9)}`;
