// What measurements against a peer share: a process per side that answers requests line by line, and medians.

import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";

/** A process that reads one JSON request a line and answers with one JSON line. */
export interface Side {
  ask<T>(request: object): Promise<T>;
  stop(): void;
}

/** The words before a command that keep it on one core, where the machine has taskset and more cores than one. */
export function pinnedTo(core: string): string[] {
  const can = availableParallelism() > 1 && spawnSync("taskset", ["-c", core, "true"]).status === 0;
  return can ? ["taskset", "-c", core] : [];
}

/** Starts a side on one core. Whatever else it writes goes to our standard error. */
export function startSide(core: string, command: string, args: readonly string[]): Side {
  const [program, ...rest] = [...pinnedTo(core), command, ...args];
  const child = spawn(program!, rest, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask<T>(request: object): Promise<T> {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended early`);
      return JSON.parse(value) as T;
    },
    stop: () => child.stdin.end(),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** What a side tells of one run. */
export interface Run {
  readonly cpuSeconds: number;
  /** Largest resident size of the process so far. */
  readonly peakBytes: number;
}

/** Runs both sides in turn, after one uncounted run each. */
export async function interleave(ours: Side, peer: Side, rounds: number, request: object): Promise<[Run[], Run[]]> {
  const runs: [Run[], Run[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const pair = [await ours.ask<Run>(request), await peer.ask<Run>(request)] as const;
    if (round < 0) continue;
    runs[0].push(pair[0]);
    runs[1].push(pair[1]);
  }
  return runs;
}

/** Median CPU seconds and peak memory of both sides, and their ratios. */
export function compared([ours, peer]: readonly [readonly Run[], readonly Run[]]) {
  const side = (runs: readonly Run[]) => ({
    cpuSeconds: median(runs.map(({ cpuSeconds }) => cpuSeconds)),
    peakMegabytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)) / 1e6,
  });
  const [a, b] = [side(ours), side(peer)];
  return {
    ours: a,
    peer: b,
    timeRatio: a.cpuSeconds / b.cpuSeconds,
    memoryRatio: a.peakMegabytes / b.peakMegabytes,
  };
}

export function printed(name: string, { ours, peer, timeRatio, memoryRatio }: ReturnType<typeof compared>): string {
  const columns = [
    `${ours.cpuSeconds.toFixed(3)} s`,
    `${peer.cpuSeconds.toFixed(3)} s`,
    timeRatio.toFixed(2),
    `${ours.peakMegabytes.toFixed(0)} MB`,
    `${peer.peakMegabytes.toFixed(0)} MB`,
    memoryRatio.toFixed(2),
  ];
  return `${name.padEnd(44)}${columns.map((column) => column.padStart(10)).join("")}`;
}

export const HEADER = `${"".padEnd(44)}      ours   PyTorch     ratio      ours   PyTorch     ratio`;
