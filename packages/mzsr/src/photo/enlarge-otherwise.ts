/** A photo enlarged by what MZSR is compared with: ZSSR, and interpolation alone. */
import { adapt } from "../adaptation/adaptation.js";
import { type DegradationOptions, interpolateInPlace } from "../degradation/degrade.js";
import { enlargeWith } from "../enlargement/enlargement.js";
import { type ZssrOptions, zssr } from "../zssr/zssr.js";
import { type EnlargedPhoto, finished } from "./enlarge-photo.js";
import type { Photo } from "./photo.js";

export interface ZssrPhotoOptions extends ZssrOptions {
  /** Times that the result's own degradation is compared with the photo and corrected. Default 0. */
  readonly backProjection?: number | undefined;
}

export interface ZssrPhoto extends EnlargedPhoto {
  /** Whether the learning rate ended it, not the number of updates. */
  readonly converged: boolean;
}

/**
 * Trains a network on the photo alone and enlarges the photo with it.
 * @returns `losses` are those of each update's crop, `lossAfter` is that of the photo's own degradation, as MZSR's
 * @throws InputError for anything but RGB
 */
export async function enlargeZssr(photo: Photo, { backProjection, ...options }: ZssrPhotoOptions): Promise<ZssrPhoto> {
  const { degradation, computer } = options;
  const started = performance.now();
  const { model, losses, converged } = await zssr(photo, options);
  const { lossAfter } = await adapt(model, photo, { degradation, updates: 0, lossAfter: true, computer });
  const trained = performance.now();
  const image = finished(photo, await enlargeWith(model, photo, { computer }), degradation, backProjection);
  const seconds = { adaptation: (trained - started) / 1000, enlargement: (performance.now() - trained) / 1000 };
  return { image, losses, lossAfter: lossAfter!, converged, seconds };
}

/** The photo by cubic interpolation, each pixel where a network's result has it. */
export function enlargeBicubic(
  photo: Photo,
  { degradation, backProjection }: { readonly degradation: DegradationOptions; readonly backProjection?: number },
): Photo {
  const { scale, downsampling } = degradation;
  return finished(photo, interpolateInPlace(photo, scale, downsampling), degradation, backProjection);
}
