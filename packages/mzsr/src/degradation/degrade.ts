/**
 * How a low-resolution image comes about: LR = downsample_s(HR ⊛ k) + n (paper, eq. 2).
 */
import { createImage, cropImage, type Image } from "../imaging/image.js";
import { imresize, imresizeSource, imresizeWindow, type Window } from "../imaging/resize.js";
import { Draws } from "../random/draws.js";
import { blur, blurEvery } from "./blur.js";
import type { BlurKernel } from "./kernel.js";

/** `direct` keeps pixels 0, s, 2s, …; `bicubic` is MATLAB's antialiased `imresize(1/s)`. */
export type Downsampling = "direct" | "bicubic";

/** Gaussian noise that the same seed repeats. */
export interface Noise {
  /** Standard deviation, on the scale where white is 1. */
  readonly sigma: number;
  readonly seed: bigint | number;
}

export interface DegradationOptions {
  /** None: only downsampled, as in pretraining on bicubic pairs. */
  readonly kernel?: BlurKernel | undefined;
  /** Integer, 2 to 4. */
  readonly scale: number;
  readonly downsampling: Downsampling;
  readonly noise?: Noise | undefined;
}

/**
 * The LR image of an HR image, [⌈h / s⌉, ⌈w / s⌉, c]. Neither clipped nor rounded.
 * @throws RangeError when the scale is not a positive integer
 */
export function degrade(image: Image, degradation: DegradationOptions): Image {
  const { kernel, scale, downsampling, noise } = degradation;
  if (!Number.isInteger(scale) || scale < 1) throw new RangeError(`cannot downsample by ${scale}`);
  const low =
    downsampling === "direct"
      ? blurEvery(image, kernel ?? IDENTITY, scale)
      : imresize(kernel === undefined ? image : blur(image, kernel), 1 / scale);
  return noise === undefined || noise.sigma === 0 ? low : withNoise(low, noise);
}

/**
 * A window of `degrade` without noise, the same to the bit, without computing the rest.
 * @param window in pixels of the LR image
 */
export function degradeWindow(
  image: Image,
  { kernel = IDENTITY, scale, downsampling }: Omit<DegradationOptions, "noise">,
  window: Window,
): Image {
  if (downsampling === "direct") {
    const { top, left, height, width } = window;
    const met = {
      top: top * scale,
      left: left * scale,
      height: (height - 1) * scale + 1,
      width: (width - 1) * scale + 1,
    };
    const source = widened(met, kernel.size, image, scale);
    const low = blurEvery(pieceOf(image, source), kernel, scale);
    return cropImage(low, top - source.top / scale, left - source.left / scale, height, width);
  }
  const source = imresizeSource(image, 1 / scale, window);
  const wider = widened(source, kernel.size, image, 1);
  const blurred = blur(pieceOf(image, wider), kernel);
  const piece = cropImage(blurred, source.top - wider.top, source.left - wider.left, source.height, source.width);
  return imresizeWindow({ image: piece, ...source, whole: image }, 1 / scale, window);
}

/** A window with what a kernel meets around it within an image; it begins at multiples of `step`. */
function widened(window: Window, kernelSize: number, image: Image, step: number): Window {
  const radius = (kernelSize - 1) / 2;
  const start = (at: number) => Math.floor(Math.max(0, at - radius) / step) * step;
  const [top, left] = [start(window.top), start(window.left)];
  const bottom = Math.min(image.height, window.top + window.height + radius);
  const right = Math.min(image.width, window.left + window.width + radius);
  return { top, left, height: bottom - top, width: right - left };
}

function pieceOf(image: Image, { top, left, height, width }: Window): Image {
  return cropImage(image, top, left, height, width);
}

/** A window of `interpolateLow`, the same to the bit. */
export function interpolateWindow(low: Image, scale: number, window: Window): Image {
  const source = imresizeSource(low, scale, window);
  return imresizeWindow({ image: pieceOf(low, source), ...source, whole: low }, scale, window);
}

/**
 * The ILR image, the network's input: `imresize(low, scale, "cubic")` of the HR image's size.
 * @param size [height, width] of the HR image; at most scale times the LR image's
 */
export function interpolateLow(low: Image, scale: number, size: readonly [number, number]): Image {
  if (size[0] > low.height * scale || size[1] > low.width * scale) {
    throw new RangeError(`${low.height}×${low.width} times ${scale} does not cover ${size[0]}×${size[1]}`);
  }
  return imresize(low, scale, size);
}

/**
 * The photo enlarged by cubic interpolation alone, so that its pixels lie where those of a network's result lie: pixel i of a photo that
 * was downsampled directly is pixel s · i of the result, where `imresize` has the middles of both images at one place.
 * @param size [height, width]: only the upper left part of that size is computed
 */
export function interpolateInPlace(
  photo: Image,
  scale: number,
  downsampling: Downsampling,
  size: readonly [number, number] = [photo.height * scale, photo.width * scale],
): Image {
  return imresize(photo, scale, size, shiftOf(scale, downsampling));
}

/** A window of `interpolateInPlace`, the same to the bit. */
export function interpolatePart(
  photo: Image,
  { scale, downsampling }: Pick<DegradationOptions, "scale" | "downsampling">,
  window: Window,
): Image {
  const shift = shiftOf(scale, downsampling);
  const source = imresizeSource(photo, scale, window, shift);
  return imresizeWindow({ image: pieceOf(photo, source), ...source, whole: photo }, scale, window, shift);
}

function shiftOf(scale: number, downsampling: Downsampling): number {
  return downsampling === "direct" ? 0.5 - 0.5 / scale : 0;
}

const IDENTITY: BlurKernel = { size: 1, data: Float64Array.of(1) };

/** Draws in the order of the data: row by row, pixel by pixel, channel by channel. */
function withNoise(image: Image, noise: Noise): Image {
  const draws = new Draws(noise.seed, [0, 0, 0]);
  const data = image.data.map((value) => value + noise.sigma * draws.normal());
  return createImage(image.height, image.width, image.channels, data);
}
