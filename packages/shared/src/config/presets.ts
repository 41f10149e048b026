/**
 * Named starting points of a configuration. A preset says only what differs from the schema's defaults, which are the
 * paper's; a file and flags go on top of it.
 */
import type { z } from "zod";
import type { configurationSchema } from "./schema.js";

/** What a configuration file may hold: any part of a configuration. */
export type PartialConfiguration = z.input<typeof configurationSchema>;

export const PRESET_NAMES = [
  "quick",
  "gpu",
  "paper",
  "reference",
  "reference-x3",
  "reference-x4",
  "reference-x234",
  "finetune",
] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** From nearly no blur to more than the test kernels have: a network for the mean kernel alone would not need to adapt. */
const ON_MANY_KERNELS = {
  degradation: { downsampling: "mixed", lambdaMin: 0.2, lambdaMax: 5 },
  patches: { stride: 16 },
} satisfies PartialConfiguration;

const LEARNS_TO_ADAPT: PartialConfiguration["metaTraining"] = {
  tasks: 1,
  support: 4,
  query: 4,
  patchSize: 48,
  supportFrom: "low",
  innerSteps: 3,
  innerRate: 1e-2,
  learnedRates: true,
};

/**
 * A few minutes on two cores: a small network, kernels drawn widely, learned inner rates (docs/configuration.md). A step
 * is one task, and three steps are computed at a time, so that two workers seldom wait for each other; gradients that are
 * late by two tasks need lower learning rates and a warm-up (docs/quality.md).
 */
const quick: PartialConfiguration = {
  model: { depth: 5, width: 32 },
  ...ON_MANY_KERNELS,
  pretraining: {
    steps: 800,
    batch: 16,
    tasks: 1,
    patchSize: 48,
    kernels: "mixed",
    learningRate: 1e-3,
    halveEvery: 200,
    warmupSteps: 200,
  },
  metaTraining: {
    ...LEARNS_TO_ADAPT,
    steps: 1300,
    innerRate: 2e-2,
    learningRate: 6e-4,
    learningRateFinal: 0.1,
    warmupSteps: 100,
  },
  cluster: { pipeline: 2 },
};

/**
 * For a GPU: the steps and rates of `quick`, each step the mean of sixteen tasks instead of one. A card computes a step's
 * tasks as one batch, and with one step of pipelining the next batch is on its way meanwhile (docs/configuration.md).
 */
const gpu: PartialConfiguration = {
  ...quick,
  pretraining: { ...quick.pretraining, batch: 256, tasks: 16 },
  metaTraining: { ...quick.metaTraining, tasks: 16 },
  cluster: { pipeline: 1 },
};

/** Soh et al., CVPR 2020, section 5: the defaults of the schema. */
const paper: PartialConfiguration = {};

/** What `init` calls the model that comes with the program. */
export const SHIPPED_MODEL = "shipped";

/**
 * Hours on a few cores: the paper's network, its kind of pretraining in small, then meta-training with learned rates on widely drawn
 * kernels. Steps of one task each, two at a time. The loss after each inner step counts the same: good after one step, and as
 * good after ten.
 */
const reference: PartialConfiguration = {
  ...ON_MANY_KERNELS,
  pretraining: {
    steps: 8000,
    batch: 16,
    tasks: 2,
    patchSize: 48,
    halveEvery: 2400,
    learningRateFloor: 5e-5,
    warmupSteps: 200,
  },
  metaTraining: {
    ...LEARNS_TO_ADAPT,
    steps: 20_000,
    stepWeights: "even",
    learningRate: 2e-4,
    learningRateFinal: 0.05,
    warmupSteps: 200,
    emaDecay: 0.999,
  },
  validation: { every: 1000 },
  cluster: { pipeline: 1 },
};

/** `reference` for larger results: kernels grow with them. */
const referenceFor = (scale: number): PartialConfiguration => ({
  ...reference,
  degradation: { ...reference.degradation, scale, lambdaMax: 2.5 * scale },
});

/** `reference` for all three: each task draws its scale, and its kernel as for that. */
const referenceForAll: PartialConfiguration = {
  ...reference,
  degradation: { downsampling: "mixed", lambdaMin: 0.2, scale: 2, scales: [2, 3, 4] },
};

/** The model that comes with the program, trained on for some photographs of a user's own. */
const finetune: PartialConfiguration = {
  init: SHIPPED_MODEL,
  ...ON_MANY_KERNELS,
  pretraining: { steps: 0 },
  metaTraining: {
    ...LEARNS_TO_ADAPT,
    steps: 600,
    stepWeights: "even",
    learningRate: 1e-4,
    learningRateFinal: 0.1,
    rateLearningRate: 5e-3,
    warmupSteps: 50,
    emaDecay: 0.99,
  },
  cluster: { pipeline: 1 },
};

export const presets: Readonly<Record<PresetName, PartialConfiguration>> = {
  quick,
  gpu,
  paper,
  reference,
  "reference-x3": referenceFor(3),
  "reference-x4": referenceFor(4),
  "reference-x234": referenceForAll,
  finetune,
};
