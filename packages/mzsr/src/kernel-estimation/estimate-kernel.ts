/** The blur of a photo, from the photo alone. */
import type { Downsampling } from "../degradation/degrade.js";
import { type BlurKernel, type GaussianShape, gaussianKernel } from "../degradation/kernel.js";
import { InputError } from "../errors.js";
import type { Image } from "../imaging/image.js";
import { type EstimatorPart, estimateRoot, expectedError, type KernelEstimator, partName } from "./estimator.js";
import { blurFeatures } from "./features.js";
import { shapeOf, widthsOf } from "./kernel-root.js";
import { lumaOf } from "./luma.js";
import { photoRegions, SMALLEST_SIDE } from "./photo-regions.js";
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
const SAFE_SIDE = { narrow: 1.5, below: 0.6, above: 1.2 } as const;

/** So much wider than the sharpest of a photo's regions the photo as a whole may seem: the least of nine estimates is below the truth. */
const SHARPEST_MARGIN = 0.1;

/** A region whose estimate is less sure than that of the whole by more than this factor has no say: it shows too little. */
const LEAST_SURE = 1.25;

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
  const { least, most } = widthRange(scale);
  const leastSure = (most - least) / 4;
  if (Math.min(photo.height, photo.width) < SMALLEST_SIDE || isFlat(photo)) {
    const shape = { lambda1: OF_GOOD_LENS ** 2, lambda2: OF_GOOD_LENS ** 2, theta: 0 };
    return { shape, kernel: gaussianKernel(shape), downsampling, uncertainty: leastSure, certain: false };
  }
  const features = blurFeatures(photo);
  const error = expectedError(part, features);
  const uncertainty = Math.min(ratio * error, leastSure);
  const { sigma1, sigma2, theta } = widthsOf(estimateRoot(part, features));
  const width = (sigma1 + sigma2) / 2;
  const sharpest = Math.min(width, SHARPEST_MARGIN + sharpestRegion(part, photo, LEAST_SURE * error));
  const by = ratio * (width - sharpest) + safeSide(sharpest) * uncertainty;
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

/**
 * The mean width that the sharpest of the photo's regions shows; infinite where none shows any. The blur is the same all over a
 * photo, and where one part of it looks wider than another, that part was out of focus or soft by itself.
 *
 * @param leastSure expected error from which on a region has no say
 */
function sharpestRegion(part: EstimatorPart, photo: Image, leastSure: number): number {
  let sharpest = Number.POSITIVE_INFINITY;
  for (const region of photoRegions(photo)) {
    if (isFlat(region)) continue;
    const features = blurFeatures(region);
    if (expectedError(part, features) > leastSure) continue;
    const { sigma1, sigma2 } = widthsOf(estimateRoot(part, features));
    sharpest = Math.min(sharpest, (sigma1 + sigma2) / 2);
  }
  return sharpest;
}

function safeSide(width: number): number {
  const { narrow, below, above } = SAFE_SIDE;
  return narrow * Math.min(Math.max((above - width) / (above - below), 0), 1);
}

function isFlat(photo: Image): boolean {
  const { data } = lumaOf(photo);
  return data.every((value) => Math.abs(value - data[0]!) < 1 / 255);
}
