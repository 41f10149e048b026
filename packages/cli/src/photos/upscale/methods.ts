/** The ways to enlarge a photo, by the name that a user gives. */
import { type EnlargedPhoto, enlarge, enlargeBicubic, enlargeZssr, type Model, type Photo } from "@mzsr/mzsr";
import type { StepShown } from "../../progress/step-progress.js";
import type { KernelChoice } from "../kernel-choice.js";

export interface MethodInput {
  /** MZSR's; ZSSR takes its architecture. */
  readonly model: Model | undefined;
  readonly scale: number;
  readonly kernel: KernelChoice;
  /** At most. */
  readonly updates: number;
  /** Standard deviation, where white is 1. */
  readonly noise: number;
  readonly backProjection: number;
  readonly onStep: (progress: StepShown) => void;
}

export interface Enlarged extends Omit<EnlargedPhoto, "lossAfter"> {
  /** L1 of the network on the photo's own degradation, after all steps; undefined without a network. */
  readonly lossAfter: number | undefined;
  /** Whether training ended because nothing more was learned, where it can. */
  readonly converged?: boolean;
}

export type Method = (photo: Photo, input: MethodInput) => Promise<Enlarged>;

export const METHODS = {
  mzsr: (photo, { kernel, model, ...input }) => enlarge(photo, { ...input, ...kernel, model: model! }),
  zssr: (photo, input) => {
    const { updates, backProjection, onStep, model } = input;
    const architecture = model === undefined ? {} : { architecture: model.architecture };
    return enlargeZssr(photo, { updates, backProjection, onStep, ...architecture, degradation: degradationOf(input) });
  },
  bicubic: async (photo, input) => {
    const started = performance.now();
    const image = enlargeBicubic(photo, { degradation: degradationOf(input), backProjection: input.backProjection });
    const seconds = { adaptation: 0, enlargement: (performance.now() - started) / 1000 };
    return { image, losses: [], lossAfter: undefined, seconds };
  },
} satisfies Readonly<Record<string, Method>>;

export type MethodName = keyof typeof METHODS;

export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[];

/** Gradient steps where the user says none: MZSR's few; the most of ZSSR, which ends earlier when it learns nothing more. */
export const DEFAULT_UPDATES: Readonly<Record<MethodName, number>> = { mzsr: 10, zssr: 3000, bicubic: 0 };

function degradationOf({ kernel: { kernel, downsampling }, scale, noise }: MethodInput) {
  return { kernel, downsampling, scale, noise: { sigma: noise, seed: NOISE_SEED } };
}

/** The same photo gives the same result. */
const NOISE_SEED = 1;
