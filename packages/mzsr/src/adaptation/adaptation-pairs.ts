/** What an adaptation learns from: the photo and its own degradation, whole or in parts. */
import {
  type DegradationOptions,
  degrade,
  degradeWindow,
  interpolateLow,
  interpolateWindow,
} from "../degradation/degrade.js";
import { InputError } from "../errors.js";
import { cropImage, type Image } from "../imaging/image.js";
import { imresizeSource, imresizeWindow, type Window } from "../imaging/resize.js";
import { CHANNELS } from "../model/layout.js";
import type { Model } from "../model/model.js";
import { structuredCrops } from "./structured-crops.js";

const DEFAULT_MAX_PIXELS = 512 * 512;

/** Side of the parts that a large photo adapts on: wide enough that borders hardly count. */
const CROP_SIDE = 256;

export interface PairOptions {
  /** How the photo came to be, as far as it is known; `scale` defaults to the model's. */
  readonly degradation: Omit<DegradationOptions, "scale"> & { readonly scale?: number };
  /** A photo with more pixels than this adapts on its most structured parts, so many together. Default 512². */
  readonly maxPixels?: number;
}

/** What a step of adaptation learns from: a network input and what it should become. */
export interface AdaptationPair {
  readonly x: Image;
  readonly y: Image;
}

/**
 * The pairs that an adaptation to a photo learns from, all of one size and of equal weight: the photo and the ILR image
 * of its own degradation, whole; beyond `maxPixels`, as many of the most structured squares as together stay below.
 *
 * @throws InputError for anything but RGB
 */
export function adaptationPairs(
  model: Pick<Model, "scale">,
  photo: Image,
  { degradation, maxPixels = DEFAULT_MAX_PIXELS }: PairOptions,
): AdaptationPair[] {
  requireColour(photo);
  const full = { ...degradation, scale: degradation.scale ?? model.scale };
  if (photo.height * photo.width <= maxPixels) {
    return [{ x: interpolateLow(degrade(photo, full), full.scale, [photo.height, photo.width]), y: photo }];
  }
  const side = Math.min(CROP_SIDE, photo.height, photo.width, Math.floor(Math.sqrt(maxPixels)));
  const corners = structuredCrops(photo, side, Math.floor(maxPixels / side ** 2));
  const inputOf = inputWindows(photo, full);
  return corners.map(({ y, x }) => ({
    x: inputOf({ top: y, left: x, height: side, width: side }),
    y: cropImage(photo, y, x, side, side),
  }));
}

/** Windows of the ILR image of a photo's degradation. Noise has an order, so with it all of the LR image is computed. */
function inputWindows(photo: Image, degradation: DegradationOptions): (window: Window) => Image {
  const { scale, noise } = degradation;
  if (noise !== undefined && noise.sigma !== 0) {
    const low = degrade(photo, degradation);
    return (window) => interpolateWindow(low, scale, window);
  }
  const whole = { height: Math.ceil(photo.height / scale), width: Math.ceil(photo.width / scale) };
  return (window) => {
    const source = imresizeSource(whole, scale, window);
    const image = degradeWindow(photo, degradation, source);
    return imresizeWindow({ image, ...source, whole }, scale, window);
  };
}

/** @throws InputError for anything but RGB */
export function requireColour({ channels }: Image): void {
  if (channels !== CHANNELS) throw new InputError(`an image of ${channels} channels`, { expected: "RGB" });
}
