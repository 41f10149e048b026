/**
 * Enlarging a photo with a network, in overlapping tiles so that memory is bounded. A 3×3 layer sees one pixel
 * further in every direction, so a pixel of the result depends on `depth` pixels around it: tiles that are read so much
 * wider than they are written give the result of the whole image, with no seam.
 */
import * as tf from "@tensorflow/tfjs-core";
import {
  type Adaptation,
  type AdaptationOptions,
  adapt,
  requireColour,
  uploadImage,
} from "../adaptation/adaptation.js";
import { type DegradationOptions, degrade, interpolateInPlace, interpolateLow } from "../degradation/degrade.js";
import { InputError } from "../errors.js";
import { cropImage, type Image } from "../imaging/image.js";
import type { Model } from "../model/model.js";
import { forward, uploadWeights, type Weights } from "../model/network.js";

export interface EnlargementOptions {
  /** Largest side of a tile without its margin, in pixels of the result. Default 512. */
  readonly tileSide?: number;
}

/**
 * Most pixels of an enlarged photo: 24 megapixels enlarged twice. Interpolation and result are float32 RGB, 12 bytes a
 * pixel each, and the file's rows come on top: 3 GB in all.
 */
export const LARGEST_RESULT_PIXELS = 100_000_000;

/** @throws InputError when a photo enlarged by `scale` would not fit into the memory that is meant for it */
export function checkResultSize(photo: Pick<Image, "height" | "width">, scale: number, where: string): void {
  const [height, width] = [photo.height * scale, photo.width * scale];
  if (height * width <= LARGEST_RESULT_PIXELS) return;
  const most = Math.floor(LARGEST_RESULT_PIXELS / scale ** 2 / 1e5) / 10;
  throw new InputError(`${photo.width}×${photo.height} pixels enlarged ×${scale} are ${width}×${height}, too many`, {
    where,
    expected: `at most ${most} megapixels for ×${scale}`,
  });
}

const DEFAULT_TILE_SIDE = 512;

/** Tiles start at multiples of this, so that the fast convolutions cut them as they cut the whole image. */
const TILE_ALIGNMENT = 4;

/**
 * Enlarges a photo by the model's scale: bicubic interpolation, then the network.
 *
 * @param parameters of the network, where not the model's own (after an adaptation)
 * @returns values as the network gives them, nominally in [0, 1]
 */
export async function enlargeWith(
  model: Pick<Model, "architecture" | "scale" | "parameters">,
  photo: Image,
  { tileSide = DEFAULT_TILE_SIDE }: EnlargementOptions = {},
): Promise<Image> {
  requireColour(photo);
  const input = interpolateLow(photo, model.scale, [photo.height * model.scale, photo.width * model.scale]);
  const weights = uploadWeights(model.architecture, model.parameters);
  try {
    return await applyTiled(weights, input, model.architecture.depth, tileSide);
  } finally {
    tf.dispose(weights);
  }
}

export interface SuperResolutionOptions extends AdaptationOptions, EnlargementOptions {
  /** Times that the result's own degradation is compared with the photo and corrected. Default 0. */
  readonly backProjections?: number;
}

/** Adapts a model to a photo, then enlarges the photo with it. */
export async function superResolve(
  model: Model,
  photo: Image,
  options: SuperResolutionOptions,
): Promise<{ image: Image; adaptation: Adaptation }> {
  const adaptation = await adapt(model, photo, options);
  const enlarged = await enlargeWith({ ...model, parameters: adaptation.parameters }, photo, options);
  const degradation = { ...options.degradation, scale: model.scale };
  return { image: backProject(enlarged, photo, degradation, options.backProjections ?? 0), adaptation };
}

/**
 * Back-projection (Irani and Peleg 1991): what the degraded result lacks of the photo, interpolated, is added to it
 * where it lacks it.
 * The degradation's noise is left out.
 */
export function backProject(
  image: Image,
  photo: Image,
  { noise: _, ...degradation }: DegradationOptions,
  iterations: number,
): Image {
  let result = image;
  for (let i = 0; i < iterations; i++) {
    const low = degrade(result, degradation);
    const missing = { ...low, data: low.data.map((value, at) => photo.data[at]! - value) };
    const correction = interpolateInPlace(missing, degradation.scale, degradation.downsampling, [
      image.height,
      image.width,
    ]);
    result = { ...result, data: result.data.map((value, at) => value + correction.data[at]!) };
  }
  return result;
}

async function applyTiled(weights: Weights, input: Image, depth: number, tileSide: number): Promise<Image> {
  const output = { ...input, data: new Float32Array(input.data.length) };
  const margin = roundUp(depth);
  for (const rows of spans(input.height, tileSide, margin)) {
    for (const columns of spans(input.width, tileSide, margin)) {
      const tile = cropImage(input, rows.readFrom, columns.readFrom, lengthOf(rows), lengthOf(columns));
      copyInner(await applyWhole(weights, tile), lengthOf(columns), rows, columns, output);
    }
  }
  return output;
}

async function applyWhole(weights: Weights, image: Image): Promise<Float32Array> {
  const result = tf.tidy(() => forward(weights, uploadImage(image)));
  try {
    return await result.data<"float32">();
  } finally {
    result.dispose();
  }
}

/** A tile's extent along one side: what is written, and the wider part that is read. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly readFrom: number;
  readonly readTo: number;
}

/** Spans of about equal length that cover [0, length). */
function spans(length: number, tileSide: number, margin: number): Span[] {
  const step = roundUp(length / Math.ceil(length / tileSide));
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => {
    const from = i * step;
    const to = Math.min(from + step, length);
    return { from, to, readFrom: Math.max(0, from - margin), readTo: Math.min(length, to + margin) };
  });
}

function copyInner(tile: Float32Array, tileWidth: number, rows: Span, columns: Span, output: Image): void {
  const { width, channels } = output;
  for (let y = rows.from; y < rows.to; y++) {
    const start = ((y - rows.readFrom) * tileWidth + (columns.from - columns.readFrom)) * channels;
    const row = tile.subarray(start, start + (columns.to - columns.from) * channels);
    output.data.set(row, (y * width + columns.from) * channels);
  }
}

function lengthOf({ readFrom, readTo }: Span): number {
  return readTo - readFrom;
}

function roundUp(length: number): number {
  return Math.ceil(length / TILE_ALIGNMENT) * TILE_ALIGNMENT;
}
