/**
 * The configuration of a run: one nested, typed object, the same names in YAML and in code.
 * Every default is the paper's (Soh et al., CVPR 2020) unless its comment says otherwise.
 */
import { z } from "zod";

const count = (min: number, max: number) => z.int().min(min).max(max);
const range = (min: number, max: number) => z.number().min(min).max(max);
const rate = z.number().gt(0).max(10);

/** In the order in which `auto` tries them. */
export const BACKEND_NAMES = ["webgpu", "cuda", "tensorflow", "simd", "cpu"] as const;
/** A way to compute TensorFlow.js ops (docs/architecture.md). */
export type BackendName = (typeof BACKEND_NAMES)[number];

const model = z.strictObject({
  /** 3×3 convolutions. */
  depth: count(2, 32).default(8),
  /** Channels between them. */
  width: count(4, 256).default(64),
});

const degradation = z.strictObject({
  scale: count(2, 4).default(2),
  /** For one network that enlarges by several factors: each task draws one of these; `scale` is among them. */
  scales: z
    .array(count(2, 4))
    .min(2)
    .refine((list) => list.every((n, i) => i === 0 || n > list[i - 1]!), "must ascend")
    .optional(),
  /** `mixed` draws direct or bicubic for each task with equal chance (beyond the paper). */
  downsampling: z.enum(["direct", "bicubic", "mixed"]).default("direct"),
  kernelSize: count(3, 61)
    .refine((n) => n % 2 === 1, "must be odd")
    .default(15),
  /** Smallest variance of the drawn kernels, in squared HR pixels. */
  lambdaMin: range(0.01, 50).default(1),
  /** Largest variance of the drawn kernels; 2.5 · the task's scale when not given. */
  lambdaMax: range(0.01, 50).optional(),
  /** Standard deviation of the noise added to LR images, in [0, 1] units. */
  noiseSigma: range(0, 0.5).default(0),
});

const patches = z.strictObject({
  /** Distance between the corners of neighbouring patches in the grid, in pixels. */
  stride: count(4, 512).default(32),
  /** Patches with less structure (log of the mean gradient energy) are not drawn. */
  minLogGradientEnergy: range(-30, 0).default(-6),
});

/** Largest L2 norm of the mean gradient, which a larger one is scaled down to; 0: none (beyond the paper). */
const clipNorm = range(0, 1e6).default(0);

/** Share of the moving average of θ (EMA) that a step keeps; 0: no average is kept (beyond the paper). */
const emaDecay = z.number().min(0).lt(1).default(0);

const pretraining = z.strictObject({
  steps: count(0, 10_000_000).default(100_000),
  /** Patches in a minibatch, all tasks together. */
  batch: count(1, 1024).default(32),
  /** Tasks that a minibatch is split into, so that workers share it. */
  tasks: count(1, 256).default(4),
  patchSize: count(16, 512).default(96),
  /** `bicubic` pairs as in the paper, or `mixed`: kernels drawn as in meta-training. */
  kernels: z.enum(["bicubic", "mixed"]).default("bicubic"),
  learningRate: rate.default(4e-4),
  /** Steps after which the learning rate halves. */
  halveEvery: count(1, 10_000_000).default(100_000),
  learningRateFloor: range(0, 1).default(1e-4),
  /** Steps in which the learning rate rises to its value; 0: none. */
  warmupSteps: count(0, 10_000_000).default(0),
  clipNorm,
  emaDecay,
});

const metaTraining = z.strictObject({
  steps: count(0, 10_000_000).default(100_000),
  /** Tasks in a meta-step. */
  tasks: count(1, 1024).default(5),
  /** Support patches of a task. */
  support: count(1, 256).default(8),
  /** Query patches of a task. */
  query: count(1, 256).default(8),
  patchSize: count(16, 512).default(64),
  /**
   * What support patches are cut from. `high`: the photographs, as in the paper. `low` (beyond it): LR images, so that
   * the inner loop learns from what it gets at meta-test, an LR image and its own degradation.
   */
  supportFrom: z.enum(["high", "low"]).default("high"),
  innerSteps: count(1, 20).default(5),
  /**
   * What the loss after each inner step counts in the outer loss. `annealed`, as in the paper: evenly at first, nearly the last
   * alone after 3,300 meta-steps. `even` (beyond it): all the same throughout, for a model that shall be good after one step too.
   */
  stepWeights: z.enum(["annealed", "even"]).default("annealed"),
  /** Inner learning rate α; with learned rates, where they start. */
  innerRate: rate.default(1e-2),
  /** One learned rate per tensor and inner step (Meta-SGD, MAML++). */
  learnedRates: z.boolean().default(false),
  /** Adam's rate for the logarithms of the learned rates. */
  rateLearningRate: rate.default(2e-2),
  order: z.enum(["first", "second"]).default("second"),
  /** Meta-steps of first order before those of `order` (MAML++'s derivative-order annealing). */
  firstOrderSteps: count(0, 10_000_000).default(0),
  /** Adam's rate β of the outer update. */
  learningRate: rate.default(1e-4),
  /** Final share of the learning rate, reached by a half cosine over the steps; 1 keeps it constant. */
  learningRateFinal: range(0, 1).default(1),
  /** Steps in which both learning rates rise to their values; 0: none. */
  warmupSteps: count(0, 10_000_000).default(0),
  clipNorm,
  emaDecay,
});

const validation = z.strictObject({
  /** Steps between two validations; 0: none. */
  every: count(0, 10_000_000).default(0),
  /** A folder of HR images that are not trained on, or `embedded`: two photographs that come with the program. */
  images: z.string().min(1).default("embedded"),
  /** As `mzsr evaluate --kernel` takes them; the paper's by default. */
  kernels: z.array(z.string().min(1)).min(1).max(64).default(["g2.0", "g0.2", "gani", "g1.3"]),
  /** Numbers of gradient steps; what a model is worth is measured after the last. */
  updates: z
    .array(count(0, 10_000))
    .min(1)
    .max(16)
    .refine((list) => list.every((n, i) => i === 0 || n > list[i - 1]!), "must ascend")
    .default([0, 1, 10]),
  /** Images are cut to their most structured square of this side, in pixels; 0 takes them whole. */
  side: z
    .int()
    .min(0)
    .max(4096)
    .refine((n) => n === 0 || n >= 64, "must be 0 or at least 64")
    .default(256),
});

const cluster = z.strictObject({
  /** k: tasks of step n+k start from the parameters of step n. */
  pipeline: count(0, 8).default(0),
  /** How long to wait before giving up on a silent worker (in heartbeats) or a slow task (in usual task times). */
  patience: range(2, 100).default(5),
  /** Share of tasks that a second worker computes again, to find silent data corruption. */
  auditShare: range(0, 1).default(0.01),
  groups: z.boolean().default(true),
  /** A result with a larger L2 norm is refused. */
  maxGradientNorm: z.number().gt(0).default(1e6),
  /** Accept workers of different backends; bits then depend on who computed what. */
  mixedBackends: z.boolean().default(false),
});

const checkpoints = z.strictObject({
  /** Meta-steps between two checkpoints. */
  every: count(1, 1_000_000).default(100),
  /** Newest checkpoints that stay. */
  keep: count(1, 1000).default(3),
});

/** The schema of config.yaml. Unknown keys are refused. */
export const configurationSchema = z.strictObject({
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
  backend: z.enum(["auto", ...BACKEND_NAMES]).default("auto"),
  /** A folder of photographs, or `embedded`: the CC0 photographs that come with the program. */
  data: z.string().min(1).default("embedded"),
  /** Go on without the images of `data` that cannot be read; they are then no part of the data set. */
  skipBadImages: z.boolean().default(false),
  /** A model of the same network that the run starts from; random numbers when not given (beyond the paper). */
  init: z.string().min(1).optional(),
  /** SHA-256 of that file, 64 hexadecimal digits; entered when a run starts. */
  initSha256: z
    .string()
    .refine((text) => /^[0-9a-f]{64}$/.test(text), "must be 64 hexadecimal digits, in lower case")
    .optional(),
  model: model.prefault({}),
  degradation: degradation.prefault({}),
  patches: patches.prefault({}),
  pretraining: pretraining.prefault({}),
  metaTraining: metaTraining.prefault({}),
  validation: validation.prefault({}),
  cluster: cluster.prefault({}),
  checkpoints: checkpoints.prefault({}),
});

/** The whole effective configuration of a run. */
export type Configuration = z.infer<typeof configurationSchema>;

/** The order of the meta-gradients of `step`, which counts over both stages. */
export function metaGradientOrder({ pretraining, metaTraining }: Configuration, step: number): 1 | 2 {
  const { order, firstOrderSteps } = metaTraining;
  return order === "first" || step < pretraining.steps + firstOrderSteps ? 1 : 2;
}

/** The upper end of λ1's range for tasks of a scale, in HR pixels²: 2.5 · scale where it is not set (paper §5.1). */
export function largestVariance({ lambdaMax }: Configuration["degradation"], scale: number): number {
  return lambdaMax ?? 2.5 * scale;
}
