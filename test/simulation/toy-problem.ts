/**
 * A training small enough to be repeated thousands of times, and fussy enough to notice every mistake: gradients depend
 * on θ, step and index, and cancel each other so that a sum that rounds has other bits.
 */
import { RunSchedule } from "@mzsr/coordinator";
import { Adam, type ParameterLayout } from "@mzsr/mzsr";
import type { Configuration, Task, TaskOutcome } from "@mzsr/shared";

const NETWORK = 12;
const RATES = 4;
const SIZE = NETWORK + RATES;

export const TOY_LAYOUT: ParameterLayout = {
  entries: [
    { name: "conv1/kernel", shape: [NETWORK], offset: 0, size: NETWORK },
    { name: "inner_rate/0", shape: [RATES], offset: NETWORK, size: RATES },
  ],
  size: SIZE,
};

export const TOY_START = Float32Array.from({ length: SIZE }, (_, i) => Math.fround(0.1 * (i + 1)));

/** The largest element there may be: what is added in float64 between a pair of these loses its last bits. */
const HUGE = 2 ** 20;

export function toyTask(configuration: Configuration, step: number, index: number): Task {
  const schedule = new RunSchedule(configuration);
  const stage = schedule.stageOf(step);
  return {
    stage,
    step,
    index,
    parametersStep: schedule.parametersStepOf(step),
    scale: 2,
    downsampling: "direct",
    noiseSigma: 0,
    noiseSeed: 0,
    patchSize: 16,
    supportFrom: "high",
    support: [],
    query: [],
    kernels: [],
    stepWeights: schedule.stepWeights(step),
  };
}

export function toyOutcome(configuration: Configuration, task: Task, theta: Float32Array): TaskOutcome {
  const { support, query } = new RunSchedule(configuration).lossCounts(task.step);
  const gradient = Float32Array.from(theta, (value, i) => toyGradient(task, i, value));
  const losses = (count: number) => Array.from({ length: count }, (_, j) => noise(task.step, task.index, 1000 + j));
  return {
    stage: task.stage,
    step: task.step,
    index: task.index,
    gradient,
    supportLosses: losses(support),
    queryLosses: losses(query),
    dataSeconds: 0.01,
    computeSeconds: 0.1,
  };
}

function toyGradient({ stage, step, index }: Task, i: number, theta: number): number {
  if (stage === "pretraining" && i >= NETWORK) return 0;
  if (index === i % 3) return HUGE;
  if (index === (i % 3) + 1) return -HUGE;
  return noise(step, index, i) + 0.37 * theta;
}

/** A fixed number in [-1, 1) for each (step, index, i). */
function noise(step: number, index: number, i: number): number {
  let bits = (Math.imul(step + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b) ^ Math.imul(i + 1, 0xc2b2ae35)) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return (bits ^ (bits >>> 15)) / 2 ** 31;
}

/**
 * θ before every step when nothing ever goes wrong, by a plain loop that shares nothing with the coordinator's core but
 * Adam, the learning rates and the step weights.
 */
export function quietRun(configuration: Configuration): Float32Array[] {
  const { pretraining, metaTraining, cluster } = configuration;
  const schedule = new RunSchedule(configuration);
  const thetas = [TOY_START];
  let adam = new Adam(SIZE);
  for (let step = 0; step < pretraining.steps + metaTraining.steps; step++) {
    const isPretraining = step < pretraining.steps;
    const start = isPretraining ? 0 : pretraining.steps;
    if (step === start) adam = new Adam(SIZE);
    const count = isPretraining ? pretraining.tasks : metaTraining.tasks;
    const origin = thetas[Math.max(start, step - cluster.pipeline)]!;
    const high = new Float64Array(SIZE);
    const low = new Float64Array(SIZE);
    for (let index = 0; index < count; index++) {
      const task = toyTask(configuration, step, index);
      const { gradient } = toyOutcome(configuration, task, origin);
      gradient.forEach((value, i) => {
        const hi = value + 1.5 * 2 ** 32 - 1.5 * 2 ** 32;
        high[i] = high[i]! + hi;
        low[i] = low[i]! + (value - hi + 1.5 * 2 ** -8 - 1.5 * 2 ** -8);
      });
    }
    const theta = Float64Array.from(thetas[step]!);
    const { network, innerRates } = schedule.learningRates(step);
    const segments = [{ from: 0, to: NETWORK, rate: network }];
    if (!isPretraining) segments.push({ from: NETWORK, to: SIZE, rate: innerRates });
    adam.step(
      theta,
      high.map((sum, i) => (sum + low[i]!) / count),
      segments,
    );
    thetas.push(Float32Array.from(theta));
  }
  return thetas;
}
