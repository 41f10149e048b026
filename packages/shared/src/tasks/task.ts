/**
 * A task as the coordinator draws it and a worker computes it: everything is said, nothing is left to the worker's luck.
 */
import type { BlurKernel } from "@mzsr/mzsr";

/** Stage 1 learns from minibatches, stage 2 over tasks (docs/method.md). */
export type RunStage = "pretraining" | "metaTraining";

/** Where a training patch comes from. */
export interface PatchSource {
  /** Index into the data set's images. */
  readonly image: number;
  /** Upper left corner, in pixels. */
  readonly y: number;
  readonly x: number;
  /** 0…7, one of the eight flips and rotations. */
  readonly transform: number;
  /** Index into the task's kernels. */
  readonly kernel: number;
}

export interface Task {
  readonly stage: RunStage;
  /** Counts over both stages, from 0. */
  readonly step: number;
  readonly index: number;
  /** The task starts from the parameters before this step; equals `step` unless pipelined. */
  readonly parametersStep: number;
  readonly scale: number;
  readonly downsampling: "direct" | "bicubic";
  readonly noiseSigma: number;
  /** Seed of the noise of the first patch; the others count up from it. Below 2^53. */
  readonly noiseSeed: number;
  /** Side of every patch that is learned from, in pixels. */
  readonly patchSize: number;
  /**
   * What support patches are: HR patches, or (`low`) LR images of HR patches that are `scale` times as large; these are
   * degraded again, as at meta-test.
   */
  readonly supportFrom: "high" | "low";
  /** Pretraining: the whole minibatch, and `query` is empty. */
  readonly support: readonly PatchSource[];
  readonly query: readonly PatchSource[];
  /** Empty in pretraining on bicubic pairs. */
  readonly kernels: readonly BlurKernel[];
  /** w_j of the outer loss; empty in pretraining. */
  readonly stepWeights: readonly number[];
}

/** What is said of a computed task, besides its gradient. */
export interface TaskReport {
  readonly stage: RunStage;
  readonly step: number;
  readonly index: number;
  /** Support loss before each inner step. */
  readonly supportLosses: readonly number[];
  /** Query loss before adaptation and after each inner step. */
  readonly queryLosses: readonly number[];
  readonly dataSeconds: number;
  readonly computeSeconds: number;
}

/** What computing a task gives. */
export interface TaskOutcome extends TaskReport {
  /** Meta-gradient (pretraining: gradient) in the layout of the run's parameters. */
  readonly gradient: Float32Array;
}
