/** Photos blurred with known kernels, for an estimator to learn from. */
import { type Downsampling, degrade } from "../degradation/degrade.js";
import { type GaussianShape, gaussianKernel } from "../degradation/kernel.js";
import { createImage, type Image, toBytes } from "../imaging/image.js";
import { imresize } from "../imaging/resize.js";
import type { Draws } from "../random/draws.js";
import { blurFeatures } from "./features.js";
import { type KernelRoot, rootOf } from "./kernel-root.js";
import { widthRange } from "./width-range.js";

/** How one sample comes about. */
export interface SamplePlan {
  readonly shape: GaussianShape;
  /** The photo is resized by this first: photos differ in how sharp they are, and enlarged ones are soft. */
  readonly resize: number;
  /** Standard deviation of Gaussian noise, where white is 1; 0 for none. */
  readonly noise: number;
  /** Quality of the JPEG file that the LR image goes through; undefined for none. */
  readonly jpeg: number | undefined;
}

export interface TrainingSample {
  readonly features: Float64Array;
  readonly root: KernelRoot;
}

/** Saves an image as JPEG and reads it again. */
export type JpegCodec = (image: Image, quality: number) => Promise<Image>;

/** Most of a sample's parts are as they come. */
const PARTS = { asLarge: 0.4, clean: 0.4, noisy: 0.7 } as const;
const RESIZES = [0.6, 1.5] as const;
const NOISE_LEVELS = [0.2, 3.5] as const;
const JPEG_QUALITIES = [75, 97] as const;
const LEVELS = 255;

/** λ1 and λ2 as training draws them: λ1 from 0.2 to 2.5 · scale, λ2 from 0.2 to λ1, any angle. */
export function randomKernelShape(draws: Draws, scale: number): GaussianShape {
  const { least, most } = widthRange(scale);
  const lambda1 = draws.uniform(least ** 2, most ** 2);
  const lambda2 = draws.uniform(least ** 2, lambda1);
  return { lambda1, lambda2, theta: draws.uniform(0, Math.PI) };
}

/** Draws what a sample is made of: kernels as in training and, as often, evenly by width, since narrow ones are rare there. */
export function drawSample(draws: Draws, scale: number): SamplePlan {
  const shape = draws.uniform(0, 1) < 0.5 ? randomKernelShape(draws, scale) : randomWidths(draws, scale);
  const resize = draws.uniform(0, 1) < PARTS.asLarge ? 1 : draws.uniform(...RESIZES);
  const corruption = draws.uniform(0, 1);
  const noisy = corruption >= PARTS.clean && corruption < PARTS.noisy;
  return {
    shape,
    resize,
    noise: noisy ? draws.uniform(...NOISE_LEVELS) / LEVELS : 0,
    jpeg: corruption < PARTS.noisy ? undefined : Math.round(draws.uniform(...JPEG_QUALITIES)),
  };
}

function randomWidths(draws: Draws, scale: number): GaussianShape {
  const { least, most } = widthRange(scale);
  const sigma1 = draws.uniform(least, most);
  const sigma2 = draws.uniform(least, sigma1);
  return { lambda1: sigma1 ** 2, lambda2: sigma2 ** 2, theta: draws.uniform(0, Math.PI) };
}

/**
 * Degrades a photo as planned and looks at the result.
 * @param luma of one channel: features see no other, and a third of the work is enough
 * @param seed of the noise
 */
export async function trainingSample(
  luma: Image,
  { shape, resize, noise, jpeg }: SamplePlan,
  degradation: { readonly scale: number; readonly downsampling: Downsampling; readonly seed: number },
  throughJpeg: JpegCodec,
): Promise<TrainingSample> {
  const photo = resize === 1 ? luma : imresize(luma, resize);
  const low = degrade(photo, {
    kernel: gaussianKernel(shape),
    scale: degradation.scale,
    downsampling: degradation.downsampling,
    // What noise of this size in each of R, G and B is in luma.
    noise: { sigma: noise * LUMA_NOISE, seed: degradation.seed },
  });
  const photographed = jpeg === undefined ? roundedTo8Bits(low) : await throughJpeg(low, jpeg);
  return { features: blurFeatures(photographed), root: rootOf(shape) };
}

/** The root of the sum of luma's squared weights. */
const LUMA_NOISE = Math.hypot(65.481, 128.553, 24.966) / 219;

function roundedTo8Bits(image: Image): Image {
  const data = Float32Array.from(toBytes(image), (level) => level / LEVELS);
  return createImage(image.height, image.width, image.channels, data);
}
