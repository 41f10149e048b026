/** What `cluster.pipeline` gives, in simulated time: the waiting at the end of each step, and nothing else. */
import { configurationSchema } from "@mzsr/shared";
import type { Scenario } from "./scenario.js";
import { simulate } from "./simulate.js";

const STEPS = 100;
const TASKS = 5;
const TASK_MS = 1000;

/** Simulated seconds per step of the paper's 5 tasks, each 0.7 to 1.3 s, for one slot on each of `workers` workers. */
export function secondsPerStep(workers: number, pipeline: number): number {
  const scenario: Scenario = {
    seed: 1,
    configuration: configurationSchema.parse({
      backend: "simd",
      pretraining: { steps: 0 },
      metaTraining: { steps: STEPS, tasks: TASKS, innerSteps: 1, learnedRates: true },
      cluster: { pipeline, auditShare: 0, maxGradientNorm: 1e30 },
    }),
    workers: Array.from({ length: workers }, (_, i) => ({
      name: `worker-${i}`,
      character: "honest",
      slots: 1,
      startsMs: 0,
      spared: true,
      liar: 0,
    })),
    faults: [],
    calmFromMs: 0,
    taskMs: TASK_MS,
    network: { usualDelayMs: 5, slowShare: 0, lossShare: 0, duplicateShare: 0 },
    abandonedTasks: "end",
    sendMs: 0,
    unwatched: false,
  };
  const { seconds, violations } = simulate(scenario);
  if (violations.length > 0) throw new Error(violations.join("; "));
  return seconds / STEPS;
}

/** A table for people. */
export function pipeliningTable(): string {
  const pipelines = [0, 1, 2];
  const row = (workers: number) => {
    const seconds = pipelines.map((pipeline) => secondsPerStep(workers, pipeline).toFixed(2).padStart(8));
    return `${String(workers).padStart(7)}${seconds.join("")}`;
  };
  const head = `seconds per step of ${TASKS} tasks of about ${TASK_MS / 1000} s\nworkers${pipelines.map((k) => `    k = ${k}`.slice(-8)).join("")}`;
  return `${[head, ...[1, 2, 3, 4, 5, 8].map(row)].join("\n")}\n`;
}
