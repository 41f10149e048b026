/** What a seed means: a configuration, a cast of workers and a list of misfortunes. */
import { type Configuration, configurationSchema } from "@mzsr/shared";
import { Random } from "./random.js";

/** How a worker computes. All but the flipper harm only the speed, or are found out at once. */
export type Character =
  | "honest"
  | "slow"
  /** Sometimes never answers a task, with a beating heart. */
  | "hanging"
  /** Sometimes reports a failure. */
  | "failing"
  /** Sometimes sends NaN, a wrong size, a wrong step or a huge norm. */
  | "junk"
  /** Sometimes flips one bit of a gradient, and does not know. */
  | "flipping"
  /** Computes on another backend than the run (with the same bits): refused, unless backends may be mixed. */
  | "foreign";

export interface WorkerPlan {
  readonly name: string;
  readonly character: Character;
  readonly slots: number;
  readonly startsMs: number;
  /** Is never killed, paused or cut off. */
  readonly spared: boolean;
}

export type Fault =
  | { readonly kind: "killWorker"; readonly worker: string; readonly downMs: number; readonly noticedMs: number }
  | { readonly kind: "pauseWorker"; readonly worker: string; readonly forMs: number }
  /** SIGTERM; comes back as a new process. */
  | { readonly kind: "leave"; readonly worker: string; readonly backMs: number }
  /** The stream breaks; each side learns of it by itself. */
  | { readonly kind: "cut"; readonly worker: string; readonly noticedMs: readonly [number, number] }
  /** The stream holds messages back, one way or both. */
  | { readonly kind: "stall"; readonly worker: string; readonly forMs: number; readonly ways: "up" | "down" | "both" }
  /** Nothing passes between this worker and anybody. */
  | { readonly kind: "partition"; readonly worker: string; readonly forMs: number }
  | { readonly kind: "natsDown"; readonly forMs: number }
  | { readonly kind: "killCoordinator"; readonly downMs: number }
  | { readonly kind: "pauseCoordinator"; readonly forMs: number }
  /** SIGTERM to the coordinator, and a later restart. */
  | { readonly kind: "stopCoordinator"; readonly downMs: number }
  /** Checkpoints cannot be written. */
  | { readonly kind: "diskFull"; readonly forMs: number };

export interface Scenario {
  readonly seed: number;
  readonly configuration: Configuration;
  readonly workers: readonly WorkerPlan[];
  readonly faults: readonly { readonly atMs: number; readonly fault: Fault }[];
  /** No fault begins or lasts after this. */
  readonly calmFromMs: number;
  /** Usual time of a task. */
  readonly taskMs: number;
  readonly network: NetworkPlan;
  /** What a compute pool does with an abandoned task: ends its thread, or lets it finish and hold the slot. */
  readonly abandonedTasks: "end" | "finish";
}

export interface NetworkPlan {
  readonly usualDelayMs: number;
  /** Share of messages that take up to a second longer. */
  readonly slowShare: number;
  /** Of datagrams (heartbeats over NATS). */
  readonly lossShare: number;
  /** Of datagrams and of results. */
  readonly duplicateShare: number;
}

export function drawScenario(seed: number): Scenario {
  const random = new Random(seed, 1);
  const flipping = random.chance(0.2);
  const workers = drawWorkers(random, flipping);
  const calmFromMs = random.uniform(10_000, 60_000);
  return {
    seed,
    configuration: drawConfiguration(random, seed, flipping),
    workers,
    faults: drawFaults(random, workers, calmFromMs),
    calmFromMs,
    taskMs: random.pick([50, 400, 1500, 4000]),
    network: {
      usualDelayMs: random.pick([1, 5, 40]),
      slowShare: random.pick([0, 0.02, 0.2]),
      lossShare: random.pick([0, 0.05, 0.5]),
      duplicateShare: random.pick([0, 0.05, 0.3]),
    },
    abandonedTasks: random.pick(["end", "finish"]),
  };
}

/** The same training with nothing going wrong, and a single worker. */
export function quietScenario({ seed, configuration, taskMs }: Scenario): Scenario {
  return {
    seed,
    configuration,
    workers: [{ name: "alone", character: "honest", slots: 1, startsMs: 0, spared: true }],
    faults: [],
    calmFromMs: 0,
    taskMs,
    network: { usualDelayMs: 1, slowShare: 0, lossShare: 0, duplicateShare: 0 },
    abandonedTasks: "end",
  };
}

function drawConfiguration(random: Random, seed: number, flipping: boolean): Configuration {
  return configurationSchema.parse({
    seed,
    backend: "simd",
    pretraining: { steps: random.integer(0, 8), tasks: random.integer(1, 4) },
    metaTraining: {
      steps: random.integer(2, 30),
      tasks: random.integer(2, 7),
      innerSteps: random.integer(1, 3),
      learnedRates: true,
      learningRateFinal: random.pick([1, 0.1]),
    },
    cluster: {
      pipeline: random.pick([0, 0, 1, 2]),
      patience: random.pick([2, 5, 10]),
      auditShare: flipping ? 1 : random.pick([0, 0.1, 0.5, 1]),
      maxGradientNorm: 1e30,
      mixedBackends: random.chance(0.15),
    },
    checkpoints: { every: random.integer(1, 4) },
  });
}

/**
 * At most one worker fails loudly, as a task that fails on three workers ends the run; at most one foreigner. Two honest
 * workers stand against a flipper, from before it comes.
 */
function drawWorkers(random: Random, flipping: boolean): WorkerPlan[] {
  const worker = (character: Character, i: number, spared = false): WorkerPlan => ({
    name: `${character}-${i}`,
    character,
    slots: random.pick([1, 1, 2, 3]),
    startsMs: spared ? 0 : random.uniform(0, random.pick([500, 20_000])),
    spared,
  });
  const cast = Array.from({ length: random.integer(1, 4) }, (_, i) => worker("honest", i));
  if (flipping) cast.unshift(worker("honest", 8, true), worker("honest", 9, true), worker("flipping", 0));
  for (const character of ["slow", "hanging", "foreign"] as const) {
    if (random.chance(0.25)) cast.push(worker(character, 0));
  }
  if (random.chance(0.4)) cast.push(worker(random.pick(["failing", "junk"]), 0));
  return cast;
}

function drawFaults(random: Random, workers: readonly WorkerPlan[], calmFromMs: number): Scenario["faults"] {
  const exposed = workers.filter(({ spared }) => !spared);
  const faults = Array.from({ length: random.integer(0, 60) }, () => {
    const atMs = random.uniform(0, calmFromMs);
    return { atMs, fault: drawFault(random, random.pick(exposed).name, calmFromMs - atMs) };
  });
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function drawFault(random: Random, worker: string, leftMs: number): Fault {
  const forMs = Math.min(leftMs, random.pick([200, 2_000, 8_000, 20_000]) * random.uniform(0.2, 1));
  const noticed = () => random.pick([20, 1_000, 15_000]) * random.unit();
  const faults: readonly (readonly [number, () => Fault])[] = [
    [5, () => ({ kind: "killWorker", worker, downMs: forMs, noticedMs: noticed() })],
    [3, () => ({ kind: "pauseWorker", worker, forMs })],
    [2, () => ({ kind: "leave", worker, backMs: forMs })],
    [4, () => ({ kind: "cut", worker, noticedMs: [noticed(), noticed()] })],
    [2, () => ({ kind: "stall", worker, forMs, ways: random.pick(["up", "down", "both"]) })],
    [2, () => ({ kind: "partition", worker, forMs })],
    [1, () => ({ kind: "natsDown", forMs })],
    [3, () => ({ kind: "killCoordinator", downMs: forMs })],
    [1, () => ({ kind: "pauseCoordinator", forMs })],
    [1, () => ({ kind: "stopCoordinator", downMs: forMs })],
    [1, () => ({ kind: "diskFull", forMs })],
  ];
  let ticket = random.unit() * faults.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, make] of faults) {
    ticket -= weight;
    if (ticket < 0) return make();
  }
  return faults[0]![1]();
}
