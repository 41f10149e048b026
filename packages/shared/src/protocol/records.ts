/**
 * What a run writes down while it goes: one summary per step (metrics.jsonl) and one record per event (events.jsonl).
 * The coordinator makes them; the page, the command line and the reports read them.
 */
import type { RunStage } from "../tasks/task.js";

/** One line of metrics.jsonl. */
export interface StepSummary {
  /** Counts over both stages, from 1: the parameters after this step are checkpoint `step`. */
  readonly step: number;
  readonly stage: RunStage;
  /** Counts within the stage, from 1. */
  readonly stageStep: number;
  /** Means over the step's tasks. Pretraining: support[0] is the minibatch loss and query is empty. */
  readonly supportLosses: readonly number[];
  readonly queryLosses: readonly number[];
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly stepWeights: readonly number[];
  /** Wall time since the step's first task was leased, or since the step before it was done if that was later. */
  readonly seconds: number;
  readonly tasks: number;
  readonly workers: number;
  /** Hex SHA-256 of the parameters after the step (little-endian float32, layout order). */
  readonly thetaSha256: string;
}

/** How good a model is on images that it is not trained on: a line of metrics.jsonl with `"kind": "validation"`. */
export interface ValidationSummary {
  /** The parameters after this step were measured. */
  readonly step: number;
  /** Their moving average, where the run keeps one, or the parameters themselves. */
  readonly weights: "ema" | "last";
  readonly images: number;
  /** Numbers of gradient steps. */
  readonly updates: readonly number[];
  /** Means over the images and kernels, dB on the Y channel: of bicubic enlargement, and after each of `updates`. */
  readonly bicubic: number;
  readonly psnr: readonly number[];
  readonly kernels: readonly KernelValidation[];
  /** Processor time. */
  readonly seconds: number;
}

/** Means over the images that were degraded with one kernel. */
export interface KernelValidation {
  readonly kernel: string;
  readonly bicubic: number;
  readonly psnr: readonly number[];
}

/** One line of events.jsonl: something that happened to the cluster, and why. */
export interface RunEvent {
  readonly kind:
    | "join"
    | "leave"
    | "lost"
    | "release"
    | "refusal"
    | "trial"
    | "quarantine"
    | "reinstated"
    | "audit"
    | "checkpoint"
    | "stage"
    | "resume"
    | "stop"
    | "finished";
  readonly reason: string;
  readonly worker?: string;
  readonly step?: number;
  readonly index?: number;
}
