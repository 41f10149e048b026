/** What a fleet of pretend workers costs a coordinator: one row of the bench. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, parameterLayout } from "@mzsr/mzsr";
import { FleetCoordinator, type Reading } from "./coordinator.js";
import { PretendFleet } from "./pretend-fleet.js";

/** Where the two sides run. */
export const CORES = { coordinator: "0", workers: "1" } as const;

/** The paper's, which the paper preset has too. */
const INNER_STEPS = 5;
const POLL_MS = 20;

export interface FleetChoice {
  readonly workers: number;
  /** Tasks that each computes at a time, and answers with their sum; 1 by default. */
  readonly slots?: number;
  readonly depth: number;
  readonly width: number;
  /** Between two heartbeats of a worker; 0 for none. */
  readonly heartbeatSeconds: number;
  /** Steps that are not counted, once all workers are there. */
  readonly warmUpSteps: number;
  /** Steps that are counted, at most. */
  readonly steps: number;
  /** How long each of joining, warming up and counting may take. */
  readonly seconds: number;
  /** Encrypted, with certificates of both sides. */
  readonly mtls?: boolean;
  /** Where to write a profile of the coordinator's counted steps. */
  readonly profile?: string | undefined;
}

export interface FleetFigures {
  readonly workers: number;
  /** Of a step. */
  readonly tasks: number;
  readonly steps: number;
  /** Of the clock, a step. */
  readonly seconds: number;
  /** Of the coordinator's processor time, all threads, a step. */
  readonly cpuSeconds: number;
  /** Gradients in and parameters out, a step. */
  readonly bytes: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  readonly loopP99Ms: number;
}

/** Figures, or why there are none. */
export async function measureFleet(choice: FleetChoice): Promise<FleetFigures | string> {
  const { workers, slots = 1, depth, width, seconds, mtls, profile } = choice;
  const tasks = workers * slots;
  const folder = await mkdtemp(join(tmpdir(), "mzsr-fleet-"));
  const where = { folder, core: CORES.coordinator };
  const coordinator = await FleetCoordinator.start({ ...where, depth, width, tasks, mtls, profile });
  const fleet = PretendFleet.start(workers, CORES.workers);
  const answers = {
    parameters: parameterLayout({ depth, width }).size,
    tasks,
    supportLosses: INNER_STEPS,
    queryLosses: INNER_STEPS + 1,
  };
  try {
    const joined = await within(seconds, fleet.join(coordinator, workers, slots, choice.heartbeatSeconds, answers));
    if (!joined) return `not all workers were welcomed in ${seconds} s`;
    await fleet.answer();
    return await countSteps(coordinator, fleet, choice);
  } catch (thrown) {
    return messageOf(thrown);
  } finally {
    fleet.end();
    await coordinator.end();
    await rm(folder, { recursive: true, force: true });
  }
}

async function countSteps(
  coordinator: FleetCoordinator,
  fleet: PretendFleet,
  choice: FleetChoice,
): Promise<FleetFigures | string> {
  const { workers, slots = 1, warmUpSteps, steps, seconds } = choice;
  const joined = await coordinator.read();
  const before = await readingAt(coordinator, joined.steps + warmUpSteps, seconds);
  if (before.steps === joined.steps) return `no step in ${seconds} s`;
  coordinator.watch();
  const after = await readingAt(coordinator, before.steps + steps, seconds);
  if (after.steps === before.steps) return `no step in ${seconds} s`;
  const problem = await fleet.problem();
  if (problem !== undefined) return `${problem}; the coordinator warned of ${coordinator.warning ?? "nothing"}`;
  const { p99Ms: loopP99Ms } = await coordinator.watched();
  const { nowBytes, peakBytes } = await coordinator.memory();
  const counted = after.steps - before.steps;
  return {
    workers,
    tasks: workers * slots,
    steps: counted,
    seconds: (after.atMs - before.atMs) / 1000 / counted,
    cpuSeconds: (after.cpuSeconds - before.cpuSeconds) / counted,
    bytes: await coordinator.bytesPerStep(),
    rssBytes: nowBytes,
    peakRssBytes: peakBytes,
    loopP99Ms,
  };
}

/** As soon as `steps` are done; after `seconds`, whatever is. The reading is taken when its last step was done. */
async function readingAt(coordinator: FleetCoordinator, steps: number, seconds: number): Promise<Reading> {
  let last = await coordinator.read();
  for (const endMs = performance.now() + 1000 * seconds; last.steps < steps && performance.now() < endMs; ) {
    await delay(POLL_MS);
    const reading = await coordinator.read();
    if (reading.steps > last.steps) last = reading;
  }
  return last;
}

/** Connected workers that have nothing to do but say that they live. */
export interface IdleFigures {
  readonly workers: number;
  readonly shareOfACore: number;
  readonly rssBytes: number;
}

export async function measureIdle(workers: number, seconds: number): Promise<IdleFigures | string> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-fleet-"));
  // One worker holds the step's one task, and the coordinator's patience is longer than the measurement.
  const choice = { depth: 8, width: 64, tasks: 1 };
  const coordinator = await FleetCoordinator.start({ ...choice, folder, core: CORES.coordinator });
  const fleet = PretendFleet.start(workers, CORES.workers);
  try {
    const joined = await within(4 * seconds, fleet.join(coordinator, workers, 1, 1, null));
    if (!joined) return `not all workers were welcomed in ${4 * seconds} s`;
    const before = await coordinator.read();
    await delay(1000 * seconds);
    const after = await coordinator.read();
    const problem = await fleet.problem();
    if (problem !== undefined) return problem;
    const shareOfACore = (after.cpuSeconds - before.cpuSeconds) / ((after.atMs - before.atMs) / 1000);
    return { workers, shareOfACore, rssBytes: (await coordinator.memory()).nowBytes };
  } finally {
    fleet.end();
    await coordinator.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether it came true in time. */
async function within(seconds: number, work: Promise<void>): Promise<boolean> {
  const timeOver = new AbortController();
  const late = delay(1000 * seconds, false, { signal: timeOver.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timeOver.abort();
    work.catch(() => undefined);
  }
}
