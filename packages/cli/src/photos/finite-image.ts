import { type Image, RunError } from "@mzsr/mzsr";

/**
 * The image itself, if it is one.
 * @throws RunError when a value is not finite: the adaptation's rates were too large for this photo
 */
export function finiteImage(image: Image, where: string): Image {
  if (image.data.every(Number.isFinite)) return image;
  throw new RunError(
    `${where}: the adaptation diverged (the result is not finite); fewer --updates or another kernel help`,
  );
}
