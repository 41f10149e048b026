/** The ways to enlarge a photo, by the name that a user gives. */
import {
  beginEnlargement,
  enlargeBicubic,
  enlargeZssr,
  type Model,
  type NetworkComputer,
  type Photo,
  type PhotoBand,
  type PhotoEnlargement,
} from "@mzsr/mzsr";
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
  readonly computer: NetworkComputer;
  readonly onStep: (progress: StepShown) => void;
}

/** A photo that is being enlarged: when a method returns, what it learns is learned. */
export interface Enlargement extends Pick<PhotoEnlargement, "losses" | "bands"> {
  /** L1 of the network on the photo's own degradation, after all steps; undefined without a network. */
  readonly lossAfter: number | undefined;
  /** Whether training ended because nothing more was learned, where it can. */
  readonly converged?: boolean;
  /** That the result has taken already. */
  readonly seconds?: number;
}

export type Method = (photo: Photo, input: MethodInput) => Promise<Enlargement>;

export const METHODS = {
  mzsr: (photo, { kernel, model, ...input }) => beginEnlargement(photo, { ...input, ...kernel, model: model! }),
  zssr: async (photo, input) => {
    const { updates, backProjection, onStep, model, computer } = input;
    const architecture = model === undefined ? {} : { architecture: model.architecture };
    const options = { updates, backProjection, onStep, computer, ...architecture, degradation: degradationOf(input) };
    const { image, seconds, ...learned } = await enlargeZssr(photo, options);
    return { ...learned, bands: whole(image), seconds: seconds.enlargement };
  },
  bicubic: async (photo, input) => {
    const started = performance.now();
    const image = enlargeBicubic(photo, { degradation: degradationOf(input), backProjection: input.backProjection });
    return { bands: whole(image), losses: [], lossAfter: undefined, seconds: (performance.now() - started) / 1000 };
  },
} satisfies Readonly<Record<string, Method>>;

async function* whole(image: Photo): AsyncGenerator<PhotoBand> {
  yield { top: 0, image };
}

export type MethodName = keyof typeof METHODS;

export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[];

/** Gradient steps where the user says none: MZSR's few; the most of ZSSR, which ends earlier when it learns nothing more. */
export const DEFAULT_UPDATES: Readonly<Record<MethodName, number>> = { mzsr: 10, zssr: 3000, bicubic: 0 };

function degradationOf({ kernel: { kernel, downsampling }, scale, noise }: MethodInput) {
  return { kernel, downsampling, scale, noise: { sigma: noise, seed: NOISE_SEED } };
}

/** The same photo gives the same result. */
const NOISE_SEED = 1;
