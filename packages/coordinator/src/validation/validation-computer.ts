/** What a validation is computed from, and where: another process, which gives way to the training. */
import type { BlurKernel, Downsampling, Model } from "@mzsr/mzsr";

/** A kernel that images are degraded with, and how they are downsampled. */
export interface ValidationKernel {
  readonly name: string;
  readonly kernel: BlurKernel;
  readonly downsampling: Downsampling;
}

/** One image, degraded with one kernel: to be computed by another process. */
export interface ValidationProblem {
  readonly model: Model;
  /** Path of an HR image. */
  readonly image: string;
  /** Of the square that is cut out of it; 0 takes it whole. */
  readonly side: number;
  readonly kernel: ValidationKernel;
  /** Numbers of gradient steps, ascending. */
  readonly updates: readonly number[];
}

/** PSNR on the Y channel, dB. */
export interface Measurement {
  readonly bicubic: number;
  /** After each of `updates`. */
  readonly psnr: readonly number[];
  /** Processor time, s. */
  readonly seconds: number;
}

export interface ValidationComputer {
  compute(problem: ValidationProblem): Promise<Measurement>;
  /** Training is over: from now on, and for what waits already, nothing has to be given way to. */
  hurry(): void;
  close(): Promise<void>;
}
