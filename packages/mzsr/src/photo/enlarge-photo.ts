/** A photo adapted to and enlarged, with its transparency. */
import { type AdaptationProgress, adapt } from "../adaptation/adaptation.js";
import { type DegradationOptions, type Downsampling, interpolateInPlace } from "../degradation/degrade.js";
import type { BlurKernel } from "../degradation/kernel.js";
import { backProject, enlargeWith } from "../enlargement/enlargement.js";
import { InputError } from "../errors.js";
import type { Image } from "../imaging/image.js";
import { estimateKernelWith, type KernelEstimate } from "../kernel-estimation/estimate-kernel.js";
import type { KernelEstimator } from "../kernel-estimation/estimator.js";
import type { Model } from "../model/model.js";
import type { Photo } from "./photo.js";

export interface EnlargeOptions {
  readonly model: Model;
  /** The blur that the photo was taken with, in pixels of the result; null: none. Default: estimated from the photo. */
  readonly kernel?: BlurKernel | null | undefined;
  /** Estimates a kernel that is not given. Default: the package's own where files can be read, none in a browser. */
  readonly estimator?: KernelEstimator | undefined;
  /** Default `direct`. */
  readonly downsampling?: Downsampling | undefined;
  /** Gradient steps on the photo. Default 10. */
  readonly updates?: number | undefined;
  /** Standard deviation of the Gaussian noise that the photo's own degradation gets, where white is 1. Default 0. */
  readonly noise?: number | undefined;
  /** Times that the result's own degradation is compared with the photo and corrected. Default 0. */
  readonly backProjection?: number | undefined;
  /** After each gradient step. */
  readonly onStep?: ((progress: AdaptationProgress) => void) | undefined;
}

export interface EnlargedPhoto {
  /** Larger by the model's scale; carries what the photo carried. */
  readonly image: Photo;
  /** L1 of the network on the photo's own degradation, before each step. */
  readonly losses: readonly number[];
  /** The same after all steps; more than the first of `losses` where adaptation did harm. */
  readonly lossAfter: number;
  /** Of a kernel that was not given. */
  readonly estimate?: KernelEstimate | undefined;
  /** Wall time. */
  readonly seconds: { readonly adaptation: number; readonly enlargement: number };
}

const DEFAULT_UPDATES = 10;

/** Of the noise: the same photo gives the same result. */
const NOISE_SEED = 1;

/**
 * Adapts a model to a photo and enlarges the photo with it, on the active TensorFlow.js backend.
 * @throws InputError for anything but RGB, and where a kernel is neither given nor can be estimated
 */
export async function enlarge(photo: Photo, options: EnlargeOptions): Promise<EnlargedPhoto> {
  const { model, downsampling = "direct", updates = DEFAULT_UPDATES, noise = 0, onStep } = options;
  const estimate = options.kernel === undefined ? estimateFor(photo, options) : undefined;
  const kernel = estimate?.kernel ?? options.kernel ?? undefined;
  const degradation = { kernel, downsampling, scale: model.scale };
  const started = performance.now();
  const { parameters, losses, lossAfter } = await adapt(model, photo, {
    degradation: { ...degradation, noise: { sigma: noise, seed: NOISE_SEED } },
    updates,
    lossAfter: true,
    ...(onStep === undefined ? {} : { onStep }),
  });
  const adapted = performance.now();
  const enlarged = await enlargeWith({ ...model, parameters }, photo);
  const image = finished(photo, enlarged, degradation, options.backProjection);
  const seconds = { adaptation: (adapted - started) / 1000, enlargement: (performance.now() - adapted) / 1000 };
  return { image, losses, lossAfter: lossAfter!, estimate, seconds };
}

/** A result of any method: corrected by its own degradation as often as wished, with what the photo carries. */
export function finished(photo: Photo, enlarged: Image, degradation: DegradationOptions, backProjection = 0): Photo {
  const { height, width, data } = backProject(enlarged, photo, degradation, backProjection);
  const { scale, downsampling } = degradation;
  const alpha = photo.alpha && clipped(interpolateInPlace(photo.alpha, scale, downsampling));
  return { ...photo, height, width, data, ...(alpha === undefined ? {} : { alpha }) };
}

function estimateFor(photo: Photo, { model, downsampling, estimator }: EnlargeOptions): KernelEstimate {
  if (estimator === undefined) {
    throw new InputError("neither a kernel nor an estimator of kernels is given", {
      expected: "a kernel, null for none, or an estimator",
    });
  }
  return estimateKernelWith(estimator, photo, { scale: model.scale, ...(downsampling && { downsampling }) });
}

/** Interpolation overshoots; what is opaque or transparent all around stays so exactly. */
function clipped(image: Image): Image {
  return { ...image, data: image.data.map((value) => Math.min(1, Math.max(0, value))) };
}
