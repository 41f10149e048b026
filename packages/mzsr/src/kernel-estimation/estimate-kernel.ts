/** The blur of a photo, from the photo alone. */
import type { Downsampling } from "../degradation/degrade.js";
import { type BlurKernel, type GaussianShape, gaussianKernel } from "../degradation/kernel.js";
import { InputError } from "../errors.js";
import type { Image } from "../imaging/image.js";
import {
  type EstimatorPart,
  estimateRoot,
  expectedError,
  type KernelEstimator,
  type Prediction,
  partName,
} from "./estimator.js";
import { blurFeatures } from "./features.js";
import { shapeOf } from "./kernel-root.js";
import { lumaOf } from "./luma.js";
import { oneBlur } from "./one-blur.js";
import { photoRegions, SMALLEST_SIDE } from "./photo-regions.js";
import { ramp } from "./ramp.js";
import { widthRange } from "./width-range.js";

export interface EstimateOptions {
  /** Of the enlargement that the kernel is for. Default 2. */
  readonly scale?: number;
  /** How the photo was made smaller, which its pixels hardly tell. Default `direct`. */
  readonly downsampling?: Downsampling;
}

export interface KernelEstimate {
  /** Variances in pixels of the enlarged photo, squared. */
  readonly shape: GaussianShape;
  readonly kernel: BlurKernel;
  readonly downsampling: Downsampling;
  /** Expected error of the blur's widths, in pixels of the enlarged photo. */
  readonly uncertainty: number;
  /** False where the photo shows too little: then the kernel is rather too narrow. */
  readonly certain: boolean;
}

/**
 * The estimate is narrowed by this multiple of its expected error where the mean width is at most `below`, not at all from
 * `above` on, in between along a line: too wide a kernel draws lines that are not there, and costs most in a sharp photo,
 * while too narrow a kernel leaves a blurred photo soft. Widths are those of the scale that the estimator was trained for.
 */
const SAFE_SIDE = { narrow: 1.5, below: 0.6, above: 0.9 } as const;

/** From this expected error on, in pixels of the photo enlarged twice, an estimate is called unsure. */
const UNSURE = 0.2;

/** Widths of a photo that shows nothing: as a good lens leaves it, in pixels of the enlarged photo. */
const OF_GOOD_LENS = 0.6;

/**
 * How a photo was blurred, as far as it shows.
 *
 * For a scale that the estimator was not trained for, its part for the nearest scale serves: what a photo shows is its blur in
 * its own pixels, and a blur of σ pixels of the photo enlarged s times is one of σ t / s of the photo enlarged t times.
 * @throws InputError when the estimator was not trained for the downsampling
 */
export function estimateKernelWith(
  estimator: KernelEstimator,
  photo: Image,
  { scale = 2, downsampling = "direct" }: EstimateOptions = {},
): KernelEstimate {
  const { part, ratio } = partFor(estimator, scale, downsampling);
  const luma = { ...lumaOf(photo), channels: 1 };
  const { least, most } = widthRange(scale);
  const leastSure = (most - least) / 4;
  if (Math.min(photo.height, photo.width) < SMALLEST_SIDE || isFlat(luma)) {
    const shape = { lambda1: OF_GOOD_LENS ** 2, lambda2: OF_GOOD_LENS ** 2, theta: 0 };
    return { shape, kernel: gaussianKernel(shape), downsampling, uncertainty: leastSure, certain: false };
  }
  const whole = predictionOf(part, luma);
  const regions = Array.from(photoRegions(luma), (region) => predictionOf(part, region));
  const uncertainty = Math.min(ratio * whole.error, leastSure);
  const { sigma1, sigma2, theta } = oneBlur(whole, regions);
  const by = safeSide((sigma1 + sigma2) / 2) * uncertainty;
  const narrower = { theta, sigma1: ratio * sigma1 - by, sigma2: ratio * sigma2 - by };
  const shape = shapeOf(narrower, least, most);
  return { shape, kernel: gaussianKernel(shape), downsampling, uncertainty, certain: uncertainty < ratio * UNSURE };
}

/** The part for a scale, or for the nearest one, and how many pixels of this scale make one of that. */
function partFor({ parts }: KernelEstimator, scale: number, downsampling: Downsampling) {
  for (let away = 0; away < scale; away++) {
    for (const other of [scale - away, scale + away]) {
      const part = parts.get(partName(other, downsampling));
      if (part !== undefined) return { part, ratio: scale / other };
    }
  }
  throw new InputError(`no kernel can be estimated for ×${scale} ${downsampling}`, {
    expected: `one of ${[...parts.keys()].join(", ")}, or a kernel by name`,
  });
}

function predictionOf(part: EstimatorPart, photo: Image): Prediction {
  const features = blurFeatures(photo);
  return { root: estimateRoot(part, features), error: expectedError(part, features) };
}

function safeSide(width: number): number {
  const { narrow, below, above } = SAFE_SIDE;
  return narrow * ramp(width, above, below);
}

function isFlat({ data }: Image): boolean {
  return data.every((value) => Math.abs(value - data[0]!) < 1 / 255);
}
