/**
 * Drawing tasks: everything about task `index` of step `step` is a function of (configuration, data set, seed, step,
 * index), so any coordinator draws the same one at any time (docs/design.md §6).
 */

import { type BlurKernel, Draws, gaussianKernel } from "@mzsr/mzsr";
import { type Configuration, largestVariance, type PatchSource, type Task } from "@mzsr/shared";
import type { RunSchedule } from "../core/schedule.js";
import type { PatchIndex, PatchPositions } from "./patch-positions.js";

/** First word of a stream's name; each purpose has its own, so that more patches do not change the kernel. */
const STREAMS = { degradation: 1, support: 2, query: 3, noise: 4, scale: 5 } as const;

const TRANSFORMS = 8;
const TWO_TO_32 = 2 ** 32;
const NOISE_SEED_HIGH = 2 ** 20;

/**
 * Draws task `index` of step `step`. Steps count over both stages, from 0: pretraining first.
 *
 * Pretraining tasks are equal parts of the minibatch; a batch that the tasks do not divide is rounded up, so that every
 * patch weighs the same in the mean over tasks.
 */
export function drawTask(schedule: RunSchedule, patches: PatchIndex, step: number, index: number): Task {
  const { configuration } = schedule;
  const stage = schedule.stageOf(step);
  const scale = drawScale(configuration, step, index);
  const common = {
    stage,
    step,
    index,
    parametersStep: schedule.parametersStepOf(step),
    stepWeights: [...schedule.stepWeights(step)],
    scale,
    noiseSigma: configuration.degradation.noiseSigma,
    noiseSeed: drawNoiseSeed(drawsFor(configuration, STREAMS.noise, step, index)),
    patchSize: configuration[stage].patchSize,
    supportFrom: stage === "pretraining" ? "high" : configuration.metaTraining.supportFrom,
  } as const;
  return stage === "pretraining"
    ? { ...common, ...pretrainingPart(configuration, patches.pretraining, step, index, scale) }
    : { ...common, ...metaTrainingPart(configuration, patches, step, index, scale) };
}

type StagePart = Pick<Task, "downsampling" | "kernels" | "support" | "query">;

function pretrainingPart(
  configuration: Configuration,
  positions: PatchPositions,
  step: number,
  index: number,
  scale: number,
): StagePart {
  const { batch, tasks, kernels } = configuration.pretraining;
  const count = Math.ceil(batch / tasks);
  const support = drawsFor(configuration, STREAMS.support, step, index);
  if (kernels === "bicubic") {
    const patches = drawPatches(support, positions, count, () => 0);
    return { downsampling: "bicubic", kernels: [], support: patches, query: [] };
  }
  const draws = drawsFor(configuration, STREAMS.degradation, step, index);
  const downsampling = drawDownsampling(configuration, draws);
  return {
    downsampling,
    kernels: Array.from({ length: count }, () => drawKernel(configuration, scale, draws)),
    support: drawPatches(support, positions, count, (patch) => patch),
    query: [],
  };
}

function metaTrainingPart(
  configuration: Configuration,
  positions: PatchIndex,
  step: number,
  index: number,
  scale: number,
): StagePart {
  const { support, query } = configuration.metaTraining;
  const draws = drawsFor(configuration, STREAMS.degradation, step, index);
  const patches = (set: "support" | "query", count: number) =>
    drawPatches(drawsFor(configuration, STREAMS[set], step, index), positions[set], count, () => 0);
  return {
    downsampling: drawDownsampling(configuration, draws),
    kernels: [drawKernel(configuration, scale, draws)],
    support: patches("support", support),
    query: patches("query", query),
  };
}

function drawsFor(configuration: Configuration, stream: number, step: number, index: number): Draws {
  return new Draws(configuration.seed, [stream, step, index]);
}

/** An anisotropic Gaussian: λ1 ~ U(λmin, λmax), λ2 ~ U(λmin, λ1), θ ~ U(0, π) (paper §5.1; docs/method.md). */
function drawKernel({ degradation }: Configuration, scale: number, draws: Draws): BlurKernel {
  const { kernelSize, lambdaMin } = degradation;
  const lambda1 = draws.uniform(lambdaMin, largestVariance(degradation, scale));
  const lambda2 = draws.uniform(lambdaMin, lambda1);
  const theta = draws.uniform(0, Math.PI);
  return gaussianKernel({ size: kernelSize, lambda1, lambda2, theta });
}

function drawScale(configuration: Configuration, step: number, index: number): number {
  const { scale, scales } = configuration.degradation;
  if (scales === undefined) return scale;
  return scales[drawsFor(configuration, STREAMS.scale, step, index).integer(scales.length)]!;
}

function drawDownsampling({ degradation }: Configuration, draws: Draws): "direct" | "bicubic" {
  if (degradation.downsampling !== "mixed") return degradation.downsampling;
  return draws.integer(2) === 0 ? "direct" : "bicubic";
}

/** Every patch of the data set is as likely as every other, whatever image it is from. */
function drawPatches(
  draws: Draws,
  positions: PatchPositions,
  count: number,
  kernelOf: (patch: number) => number,
): PatchSource[] {
  return Array.from({ length: count }, (_, patch) => ({
    ...positions.at(draws.integer(positions.count)),
    transform: draws.integer(TRANSFORMS),
    kernel: kernelOf(patch),
  }));
}

/** Below 2^52, so that counting up from it for each patch stays a safe integer. */
function drawNoiseSeed(draws: Draws): number {
  return draws.integer(NOISE_SEED_HIGH) * TWO_TO_32 + draws.integer(TWO_TO_32);
}
