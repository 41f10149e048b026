import { type EngineDevice, PhotoEngine } from "@mzsr/engine-webgpu";
import { type Architecture, createImage, enlarge, type Image } from "@mzsr/mzsr";
import { randomParameters } from "./cases.js";

/** A photo that is adapted to whole, with the paper's network and number of steps. */
export const PHOTO_CASE = { architecture: { depth: 8, width: 64 }, side: 512, updates: 10 } as const;

export interface PhotoCase {
  readonly architecture: Architecture;
  /** Pixels of the photo. */
  readonly side: number;
  readonly updates: number;
}

/** Seconds of one photo: the first of a size compiles its kernels. */
export interface PhotoSpeed {
  readonly first: { readonly adaptation: number; readonly enlargement: number };
  readonly next: { readonly adaptation: number; readonly enlargement: number };
}

/** Adapts to a photo and enlarges it twice, as `mzsr upscale` does, two times over. */
export async function photoSpeed(
  device: EngineDevice,
  { architecture, side, updates }: PhotoCase,
  memoryBytes: number,
): Promise<PhotoSpeed> {
  const parameters = randomParameters(architecture);
  const model = { architecture, parameters, scale: 2, innerRates: undefined, metadata: {} };
  const photo = randomPhoto(side);
  const computer = new PhotoEngine(device, { memoryBytes });
  const run = async () => (await enlarge(photo, { model, kernel: null, updates, computer })).seconds;
  return { first: await run(), next: await run() };
}

export function photoLine({ side, updates }: PhotoCase, { first, next }: PhotoSpeed): string {
  const words = ({ adaptation, enlargement }: PhotoSpeed["next"]) =>
    `${adaptation.toFixed(2)} s for ${updates} steps, ${enlargement.toFixed(2)} s to enlarge`;
  return `one photo of ${side} × ${side} enlarged ×2: ${words(next)} (the first of its size: ${words(first)})`;
}

function randomPhoto(side: number): Image {
  return createImage(side, side, 3, Float32Array.from({ length: side * side * 3 }, Math.random));
}
