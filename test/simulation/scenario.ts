/** What a seed means: a configuration, a cast of workers and a list of misfortunes. */
import { type Configuration, configurationSchema } from "@mzsr/shared";
import { LIARS } from "./misbehaviour.js";
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
  | "malformed"
  /** Sometimes flips one bit of a gradient, and does not know. */
  | "flipping"
  /** Computes on another backend than the run (with the same bits): refused, unless backends may be mixed. */
  | "foreign"
  /** Never answers anything, with a beating heart. */
  | "silent"
  /** Reports a failure for every task. */
  | "refusing"
  /** Sends nothing but junk. */
  | "garbling"
  /** Is honest and becomes twenty times slower at some moment, for good. */
  | "slowing";

/** Never in the wrong, however slow. */
export const BLAMELESS: ReadonlySet<Character> = new Set(["honest", "slow", "slowing", "foreign"]);

/** How many times slower a worker becomes at a moment. */
export const SLOWDOWN = 20;

/** How many times slower than others. */
export const SLOWNESS: Readonly<Partial<Record<Character, number>>> = { slow: 8, slowing: SLOWDOWN };

export interface WorkerPlan {
  readonly name: string;
  readonly character: Character;
  readonly slots: number;
  readonly startsMs: number;
  /** Is never killed, paused, slowed down or cut off. */
  readonly spared: boolean;
  /** Which of several liars it is: they do not tell the same lie. */
  readonly liar: number;
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
  /** Its tasks take SLOWDOWN times as long. */
  | { readonly kind: "slowDown"; readonly worker: string; readonly forMs: number }
  /** Another process is started under the same name, and leaves after a while. */
  | { readonly kind: "namesake"; readonly worker: string; readonly forMs: number }
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
  /** How long a stream takes a result at most. */
  readonly sendMs: number;
  readonly network: NetworkPlan;
  /** What a compute pool does with an abandoned task: ends its thread, or lets it finish and hold the slot. */
  readonly abandonedTasks: "end" | "finish";
  /** Liars are at work and audits look at a part only: wrong numbers slip through, and all else has to hold. */
  readonly unwatched: boolean;
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
  const configuration = drawConfiguration(random, seed, flipping);
  const faults = drawFaults(random, workers, calmFromMs);
  const taskMs = random.pick([50, 400, 1500, 4000]);
  const abandonedTasks = random.pick(["end", "finish"] as const);
  const sendMs = taskMs * random.pick([0, 0, 0.5, 2]);
  const unwatched = flipping && random.chance(0.25);
  return {
    seed,
    configuration: unwatched ? withCluster(configuration, { auditShare: 0.5 }) : configuration,
    workers,
    faults,
    calmFromMs,
    taskMs,
    network: {
      usualDelayMs: random.pick([1, 5, 40]),
      slowShare: random.pick([0, 0.02, 0.2]),
      lossShare: random.pick([0, 0.05, 0.5]),
      duplicateShare: random.pick([0, 0.05, 0.3]),
    },
    abandonedTasks,
    sendMs,
    unwatched,
  };
}

/** A thousand workers, a few of them of doubtful character, and misfortunes; a step has a task for each. */
export function crowdScenario(seed: number): Scenario {
  const random = new Random(seed, 4);
  const { configuration, ...scenario } = drawScenario(seed);
  const { metaTraining, pretraining } = configuration;
  const workers = Array.from({ length: 1000 }, (_, i): WorkerPlan => {
    const character = i % 100 === 99 ? random.pick(["hanging", "failing", "malformed", "slow"] as const) : "honest";
    const startsMs = random.uniform(0, 5_000);
    return {
      name: `${character}-${i}`,
      character,
      slots: random.pick([1, 1, 1, 6]),
      startsMs,
      spared: i === 0,
      liar: 0,
    };
  });
  const calmFromMs = 20_000;
  return {
    ...scenario,
    configuration: {
      ...withCluster(configuration, { auditShare: 0.02, pipeline: 1 }),
      pretraining: { ...pretraining, steps: 1, tasks: 256 },
      metaTraining: { ...metaTraining, steps: 3, tasks: 1000 },
    },
    workers,
    faults: drawFaults(random, workers, calmFromMs),
    calmFromMs,
    taskMs: 1500,
    sendMs: 3000,
    unwatched: false,
  };
}

function withCluster(configuration: Configuration, change: Partial<Configuration["cluster"]>): Configuration {
  return { ...configuration, cluster: { ...configuration.cluster, ...change } };
}

/** The same training with nothing going wrong, and a single worker. */
export function quietScenario({ seed, configuration, taskMs }: Scenario): Scenario {
  return {
    seed,
    configuration,
    workers: [{ name: "alone", character: "honest", slots: 1, startsMs: 0, spared: true, liar: 0 }],
    faults: [],
    calmFromMs: 0,
    taskMs,
    network: { usualDelayMs: 1, slowShare: 0, lossShare: 0, duplicateShare: 0 },
    abandonedTasks: "end",
    sendMs: 0,
    unwatched: false,
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
 * At most one foreigner. An honest worker is there from the start where others fail or are silent in concert, and two stand
 * against flippers.
 */
function drawWorkers(random: Random, flipping: boolean): WorkerPlan[] {
  const worker = (character: Character, i: number, more: Partial<WorkerPlan> = {}): WorkerPlan => ({
    name: `${character}-${i}`,
    character,
    slots: random.pick([1, 1, 2, 3, 6]),
    startsMs: more.spared ? 0 : random.uniform(0, random.pick([500, 20_000])),
    spared: false,
    liar: i % LIARS,
    ...more,
  });
  const cast = Array.from({ length: random.integer(1, 4) }, (_, i) => worker("honest", i));
  if (flipping) {
    const liars = Array.from({ length: random.pick([1, 1, 2, LIARS]) }, (_, i) => worker("flipping", i));
    cast.unshift(worker("honest", 8, { spared: true }), worker("honest", 9, { spared: true }), ...liars);
  }
  for (const character of ["slow", "hanging", "foreign", "slowing"] as const) {
    if (random.chance(0.25)) cast.push(worker(character, 0));
  }
  if (random.chance(0.4)) cast.push(worker(random.pick(["failing", "malformed"]), 0));
  if (random.chance(0.3)) cast.push(worker("honest", 7, { spared: true }), ...drawConcert(random, worker));
  return cast;
}

/** Several names that do nothing but harm, from the start or one after the other. */
function drawConcert(
  random: Random,
  worker: (character: Character, i: number, more: Partial<WorkerPlan>) => WorkerPlan,
): WorkerPlan[] {
  const character = random.pick(["silent", "silent", "refusing", "garbling"] as const);
  const everyMs = random.pick([0, 300, 4_000]);
  const slots = random.pick([1, 1, 3]);
  return Array.from({ length: random.integer(1, 8) }, (_, i) => worker(character, i, { slots, startsMs: everyMs * i }));
}

function drawFaults(random: Random, workers: readonly WorkerPlan[], calmFromMs: number): Scenario["faults"] {
  const exposed = workers.filter(({ spared }) => !spared);
  const faults: { atMs: number; fault: Fault }[] = Array.from({ length: random.integer(0, 60) }, () => {
    const atMs = random.uniform(0, calmFromMs);
    return { atMs, fault: drawFault(random, random.pick(exposed).name, calmFromMs - atMs) };
  });
  for (const { name, character } of workers) {
    if (character !== "slowing") continue;
    const fault: Fault = { kind: "slowDown", worker: name, forMs: Number.POSITIVE_INFINITY };
    faults.push({ atMs: random.uniform(0, calmFromMs), fault });
  }
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
    [1, () => ({ kind: "slowDown", worker, forMs })],
    [1, () => ({ kind: "namesake", worker, forMs })],
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
