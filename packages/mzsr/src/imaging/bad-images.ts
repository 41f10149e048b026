import { InputError, messageOf } from "../errors.js";

/** An image that cannot be used. */
export interface BadImage {
  readonly path: string;
  /** Why, without the path. */
  readonly reason: string;
}

/**
 * What is wrong with an image, if it is the image that is wrong.
 * @throws the error itself when it is of another kind
 */
export function badImage(path: string, thrown: unknown): BadImage {
  if (!(thrown instanceof InputError)) throw thrown;
  return { path, reason: thrown.where === path ? thrown.what : messageOf(thrown) };
}

/** One error for all images that cannot be used, so that nobody meets them one after the other. */
export function badImagesError(bad: readonly BadImage[], images: number, where: string): InputError {
  return new InputError(`${bad.length} of ${images} ${images === 1 ? "image" : "images"} cannot be used`, {
    where,
    expected: "whole images, or --skip-bad to go on without these",
    items: bad.map(({ path, reason }) => `${path}: ${reason}`),
  });
}
