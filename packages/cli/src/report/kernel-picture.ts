import { type BlurKernel, createImage, type Image } from "@mzsr/mzsr";
import { magnify } from "./detail.js";

const MAGNIFICATION = 8;

/** The kernel as a grey picture, its largest weight white. */
export function kernelPicture({ size, data }: BlurKernel): Image {
  const largest = data.reduce((a, b) => Math.max(a, b), 0);
  const grey = Float32Array.from(data, (weight) => Math.max(0, weight) / largest);
  return magnify(createImage(size, size, 1, grey), MAGNIFICATION);
}
