import { shippedEstimator } from "../kernel-estimation/load-estimator.js";
import { type EnlargedPhoto, type EnlargeOptions, enlarge as enlargeWithKernel } from "./enlarge-photo.js";
import type { Photo } from "./photo.js";

/**
 * Adapts a model to a photo and enlarges the photo with it. A kernel that is not given is estimated from the photo.
 * @throws InputError for anything but RGB
 */
export async function enlarge(photo: Photo, options: EnlargeOptions): Promise<EnlargedPhoto> {
  const estimator = options.estimator ?? (options.kernel === undefined ? await shippedEstimator() : undefined);
  return enlargeWithKernel(photo, { ...options, estimator });
}
