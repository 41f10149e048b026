/** A photo adapted to and enlarged, with its transparency. */
import { type AdaptationProgress, adapt } from "../adaptation/adaptation.js";
import type { NetworkComputer } from "../computing/network-computer.js";
import {
  type DegradationOptions,
  type Downsampling,
  interpolateInPlace,
  interpolatePart,
} from "../degradation/degrade.js";
import type { BlurKernel } from "../degradation/kernel.js";
import { backProject, enlargeInBands, enlargeWith } from "../enlargement/enlargement.js";
import { InputError } from "../errors.js";
import { createImage, type Image } from "../imaging/image.js";
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
  /** Default: the active TensorFlow.js backend of this thread. */
  readonly computer?: NetworkComputer | undefined;
}

export interface EnlargedPhoto extends Omit<PhotoEnlargement, "bands"> {
  /** Larger by the model's scale; carries what the photo carried. */
  readonly image: Photo;
  /** Wall time. */
  readonly seconds: { readonly adaptation: number; readonly enlargement: number };
}

/** A photo that is being enlarged. */
export interface PhotoEnlargement {
  /** L1 of the network on the photo's own degradation, before each step. */
  readonly losses: readonly number[];
  /** The same after all steps; more than the first of `losses` where adaptation did harm. */
  readonly lossAfter: number;
  /** Of a kernel that was not given. */
  readonly estimate?: KernelEstimate | undefined;
  /** Rows of the result, from the top downwards, computed as they are asked for. */
  readonly bands: AsyncGenerator<PhotoBand>;
}

export interface PhotoBand {
  /** The first row's place in the result. */
  readonly top: number;
  /** With alpha where the photo has it, without what else it carries. */
  readonly image: Photo;
}

const DEFAULT_UPDATES = 10;

/** Of the noise: the same photo gives the same result. */
const NOISE_SEED = 1;

/**
 * Adapts a model to a photo and enlarges the photo with it.
 * @throws InputError for anything but RGB, and where a kernel is neither given nor can be estimated
 */
export async function enlarge(photo: Photo, options: EnlargeOptions): Promise<EnlargedPhoto> {
  const started = performance.now();
  const { bands, ...enlargement } = await beginEnlargement(photo, options);
  const adapted = performance.now();
  const { scale } = options.model;
  const image = createImage(photo.height * scale, photo.width * scale, photo.channels);
  const alpha = photo.alpha && createImage(image.height, image.width, 1);
  for await (const { top, image: rows } of bands) {
    image.data.set(rows.data, top * image.width * image.channels);
    if (rows.alpha !== undefined) alpha?.data.set(rows.alpha.data, top * image.width);
  }
  const seconds = { adaptation: (adapted - started) / 1000, enlargement: (performance.now() - adapted) / 1000 };
  const { height, width, data } = image;
  return {
    ...enlargement,
    image: { ...photo, height, width, data, ...(alpha === undefined ? {} : { alpha }) },
    seconds,
  };
}

/**
 * As `enlarge`, with the result in bands of rows. It is adapted when this returns.
 * @throws InputError as `enlarge`
 */
export async function beginEnlargement(photo: Photo, options: EnlargeOptions): Promise<PhotoEnlargement> {
  const { model, downsampling = "direct", updates = DEFAULT_UPDATES, noise = 0, onStep, computer } = options;
  const estimate = options.kernel === undefined ? estimateFor(photo, options) : undefined;
  const kernel = estimate?.kernel ?? options.kernel ?? undefined;
  const degradation = { kernel, downsampling, scale: model.scale };
  const { parameters, losses, lossAfter } = await adapt(model, photo, {
    degradation: { ...degradation, noise: { sigma: noise, seed: NOISE_SEED } },
    updates,
    lossAfter: true,
    computer,
    ...(onStep === undefined ? {} : { onStep }),
  });
  const adapted = { ...model, parameters };
  const bands = bandsOf(photo, adapted, degradation, options);
  return { losses, lossAfter: lossAfter!, estimate, bands };
}

/** Back-projection looks at all of the result, which is one band then. */
async function* bandsOf(
  photo: Photo,
  model: Model,
  degradation: DegradationOptions,
  { backProjection = 0, computer }: EnlargeOptions,
): AsyncGenerator<PhotoBand> {
  const bands = backProjection === 0 ? enlargeInBands(model, photo, { computer }) : projected();
  for await (const { top, image } of bands) {
    const { height, width } = image;
    const alpha = photo.alpha && clipped(interpolatePart(photo.alpha, degradation, { top, left: 0, height, width }));
    yield { top, image: alpha === undefined ? image : { ...image, alpha } };
  }
  async function* projected() {
    const enlarged = await enlargeWith(model, photo, { computer });
    yield { top: 0, image: backProject(enlarged, photo, degradation, backProjection) };
  }
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
