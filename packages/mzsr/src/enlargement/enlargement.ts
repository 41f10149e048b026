/** Enlarging a photo with a network, in overlapping tiles so that memory is bounded. */
import { type Adaptation, type AdaptationOptions, adapt } from "../adaptation/adaptation.js";
import { requireColour } from "../adaptation/adaptation-pairs.js";
import { BackendComputer } from "../computing/backend-computer.js";
import type { Enlarger, NetworkComputer } from "../computing/network-computer.js";
import { type DegradationOptions, degrade, interpolateInPlace } from "../degradation/degrade.js";
import { InputError } from "../errors.js";
import { createImage, type Image } from "../imaging/image.js";
import type { Model } from "../model/model.js";
import { type Tile, tileSource } from "./tiles.js";

export interface EnlargementOptions {
  /** Largest side of a tile without its margin, in pixels of the result. Default 512. */
  readonly tileSide?: number;
  /** Default: the active TensorFlow.js backend of this thread. */
  readonly computer?: NetworkComputer | undefined;
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

/** Rows of an enlarged photo. */
export interface Band {
  /** The first row's place in the whole. */
  readonly top: number;
  readonly image: Image;
}

/**
 * Enlarges a photo by the model's scale: bicubic interpolation, then the network.
 *
 * @param parameters of the network, where not the model's own (after an adaptation)
 * @returns values as the network gives them, nominally in [0, 1]
 */
export async function enlargeWith(
  model: Pick<Model, "architecture" | "scale" | "parameters">,
  photo: Image,
  options: EnlargementOptions = {},
): Promise<Image> {
  requireColour(photo);
  const { scale } = model;
  const result = createImage(photo.height * scale, photo.width * scale, photo.channels);
  for await (const { top, image } of enlargeInBands(model, photo, options)) {
    result.data.set(image.data, top * result.width * result.channels);
  }
  return result;
}

/** As `enlargeWith`, from the top downwards, so that the whole result is never in memory. */
export async function* enlargeInBands(
  model: Pick<Model, "architecture" | "scale" | "parameters">,
  photo: Image,
  { tileSide = DEFAULT_TILE_SIDE, computer = new BackendComputer() }: EnlargementOptions = {},
): AsyncGenerator<Band> {
  requireColour(photo);
  const { scale } = model;
  const size = { height: photo.height * scale, width: photo.width * scale };
  const enlarger = await computer.enlarger(model, size, tileSide);
  try {
    if (enlarger.elsewhere) yield* bandsOfElsewhere(enlarger, photo, scale);
    else yield* bandsOneByOne(enlarger, photo, scale);
  } finally {
    enlarger.dispose();
  }
}

async function* bandsOneByOne(enlarger: Enlarger, photo: Image, scale: number): AsyncGenerator<Band> {
  for (const tiles of enlarger.rows) {
    const band = emptyBand(tiles, photo.channels);
    for (const tile of tiles) place(await enlarger.tile(() => tileSource(photo, scale, tile)), tile, band);
    yield band;
  }
}

/** While one band is used, the tiles of the next are computed. */
async function* bandsOfElsewhere(enlarger: Enlarger, photo: Image, scale: number): AsyncGenerator<Band> {
  const { rows } = enlarger;
  const start = async (tiles: readonly Tile[]): Promise<Band> => {
    const band = emptyBand(tiles, photo.channels);
    const computed = tiles.map(async (tile) => {
      place(await enlarger.tile(() => tileSource(photo, scale, tile)), tile, band);
    });
    await Promise.all(computed);
    return band;
  };
  let next = start(rows[0]!);
  for (let i = 0; i < rows.length; i++) {
    const current = next;
    const following = rows[i + 1];
    if (following !== undefined) {
      next = start(following);
      // Whoever takes the next band hears of its failure.
      next.catch(() => undefined);
    }
    yield await current;
  }
}

function emptyBand(tiles: readonly Tile[], channels: number): Band {
  const { top, height } = tiles[0]!.written;
  const { left, width } = tiles.at(-1)!.written;
  return { top, image: createImage(height, left + width, channels) };
}

function place(data: Float32Array, { written }: Tile, { image }: Band): void {
  const row = written.width * image.channels;
  for (let y = 0; y < written.height; y++) {
    image.data.set(data.subarray(y * row, (y + 1) * row), (y * image.width + written.left) * image.channels);
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
