/** What a preview is made of: a held-out photo's most structured part, degraded with a kernel that is drawn beside it. */
import {
  type BlurKernel,
  createImage,
  cropImage,
  type DegradationOptions,
  type Downsampling,
  degrade,
  gaussianKernel,
  type Image,
  interpolateLow,
  psnrY,
  structuredCrops,
  toBytes,
} from "@mzsr/mzsr";
import type { Configuration } from "@mzsr/shared";

/** Side of the HR crop in pixels, before it is cut to a multiple of the scale. */
const SIDE = 128;

/** Kernels of the subjects, in turn: the paper's g_ani and g_2.0, then one that lies the other way. */
const SHAPES = [
  { lambda1: 4, lambda2: 1, theta: -0.5 },
  { lambda1: 2, lambda2: 2, theta: 0 },
  { lambda1: 3, lambda2: 1, theta: 1.1 },
] as const;

export interface PreviewSubject {
  /** Letters, digits, dots and dashes: it becomes part of file names. */
  readonly name: string;
  readonly scale: number;
  readonly hr: Image;
  /** Rounded to 8 bits, as a camera's photo is. */
  readonly lr: Image;
  readonly bicubic: Image;
  readonly bicubicPsnr: number;
  readonly degradation: DegradationOptions;
  readonly kernel: BlurKernel;
  readonly downsampling: Downsampling;
}

/** @param order which of the photos it is, from 0: chooses the kernel */
export function previewSubject(
  name: string,
  photo: Image,
  order: number,
  { degradation: { scale, downsampling: drawn, noiseSigma } }: Configuration,
): PreviewSubject {
  const side = scale * Math.floor(Math.min(SIDE, photo.height, photo.width) / scale);
  const [corner] = structuredCrops(photo, side, 1);
  const hr = cropImage(photo, corner!.y, corner!.x, side, side);
  const kernel = gaussianKernel(SHAPES[order % SHAPES.length]!);
  const downsampling = drawn === "bicubic" ? "bicubic" : "direct";
  const degradation: DegradationOptions = {
    kernel,
    downsampling,
    scale,
    ...(noiseSigma === 0 ? {} : { noise: { sigma: noiseSigma, seed: order } }),
  };
  const lr = roundedTo8Bits(degrade(hr, degradation));
  const bicubic = interpolateLow(lr, scale, [side, side]);
  return {
    name: name.replaceAll(/[^\w.-]+/g, "-"),
    scale,
    hr,
    lr,
    bicubic,
    bicubicPsnr: psnrY(hr, bicubic, scale),
    degradation,
    kernel,
    downsampling,
  };
}

function roundedTo8Bits(image: Image): Image {
  const levels = Float32Array.from(toBytes(image), (level) => level / 255);
  return createImage(image.height, image.width, image.channels, levels);
}
