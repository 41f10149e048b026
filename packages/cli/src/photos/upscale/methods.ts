/** The ways to enlarge a photo, by the name that a user gives. */
import { type AdaptationProgress, type EnlargedPhoto, enlarge, type Model, type Photo } from "@mzsr/mzsr";
import type { KernelChoice } from "../kernel-choice.js";

export interface MethodInput {
  readonly model: Model;
  readonly kernel: KernelChoice;
  readonly updates: number;
  /** Standard deviation, where white is 1. */
  readonly noise: number;
  readonly backProjection: number;
  readonly onStep: (progress: AdaptationProgress) => void;
}

export type Method = (photo: Photo, input: MethodInput) => Promise<EnlargedPhoto>;

export const METHODS = {
  mzsr: (photo, { kernel, ...input }) => enlarge(photo, { ...input, ...kernel }),
} satisfies Readonly<Record<string, Method>>;

export type MethodName = keyof typeof METHODS;
