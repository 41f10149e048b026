/** What a benchmark measures: jobs, each of one photo, one kernel, and one model or other subject. */
import type { BlurKernel, Downsampling } from "@mzsr/mzsr";
import { sha256Of } from "@mzsr/shared";

/** A photo, and how it is degraded. */
export interface Case {
  readonly dataset: string;
  /** File name. */
  readonly image: string;
  readonly hr: string;
  /** Its LR image where there is one; else it is made with the kernel. */
  readonly lr: string | undefined;
  readonly scale: number;
  /** As it is called in the table. */
  readonly kernel: string;
  readonly blur: BlurKernel;
  readonly downsampling: Downsampling;
}

/** What is adapted or trained; the methods of one subject are measured together. */
export type Subject =
  | { readonly kind: "bicubic" }
  | { readonly kind: "zssr"; readonly updates: number }
  | {
      readonly kind: "model";
      readonly name: string;
      /** In the list of models that all jobs share. */
      readonly index: number;
      /** Numbers of gradient steps, ascending. */
      readonly updates: readonly number[];
    };

export interface Job {
  /** A digest of all that the result depends on: one that is known already need not be measured. */
  readonly key: string;
  readonly case: Case;
  readonly subject: Subject;
  /** Where the pictures go, as the start of a path; undefined where none are wanted. */
  readonly crops: string | undefined;
  /** Whether quality is followed over time. */
  readonly curve: boolean;
}

export interface Measured {
  /** `methodName`. */
  readonly method: string;
  readonly psnr_y: number;
  readonly ssim_y: number;
  /** Gradient steps that were done. */
  readonly updates: number;
  /** Adaptation or training, and enlargement. */
  readonly seconds: number;
  /** Seconds until the photo was enlarged, against PSNR-Y, where it was followed. */
  readonly curve?: readonly (readonly [seconds: number, psnr: number])[];
  /** Whether ZSSR ended by itself. */
  readonly converged?: boolean;
}

/** A line of results.jsonl. */
export interface JobResult {
  readonly key: string;
  readonly dataset: string;
  readonly image: string;
  readonly scale: number;
  readonly kernel: string;
  readonly downsampling: Downsampling;
  /** The model's name; null where there is none. */
  readonly model: string | null;
  readonly methods: readonly Measured[];
}

/** Raised when results of one key would come out otherwise. */
const VERSION = 1;

/**
 * @param digests SHA-256 of the files and of the model's file
 * @param backend the results depend on it in their last digits
 */
export function jobKey(
  { case: { scale, blur, downsampling }, subject, crops, curve }: Omit<Job, "key">,
  digests: { readonly hr: string; readonly lr?: string | undefined; readonly model?: string | undefined },
  backend: string,
): string {
  const { kind } = subject;
  const updates = kind === "bicubic" ? [] : subject.updates;
  const kernel = sha256Of(Buffer.from(blur.data.buffer, blur.data.byteOffset, blur.data.byteLength));
  return sha256Of(
    JSON.stringify([VERSION, digests, backend, scale, kernel, downsampling, kind, updates, crops !== undefined, curve]),
  );
}

/** The picture of a method's result; undefined: of the photo itself. */
export function cropFile(
  start: string,
  of: { readonly method: string; readonly model: string | null } | undefined,
): string {
  if (of === undefined) return `${start}-hr.png`;
  const model = of.model === null ? "" : `-${sha256Of(of.model).slice(0, 8)}`;
  return `${start}-${of.method.replace(":", "-")}${model}.png`;
}
