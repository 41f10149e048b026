/**
 * PSNR and SSIM as the super-resolution literature reports them: on the 8-bit luma (Y of ITU-R BT.601), with the
 * border shaved. SSIM follows Wang et al. (2004), `ssim_index.m`.
 */
import { portableExp } from "../random/portable-math.js";
import { type Image, toBytes } from "./image.js";

const PEAK = 255;
const SSIM_WINDOW = 11;
const SSIM_SIGMA = 1.5;
const SSIM_C1 = (0.01 * PEAK) ** 2;
const SSIM_C2 = (0.03 * PEAK) ** 2;

/** One channel of 8-bit levels, as doubles. */
interface Plane {
  readonly height: number;
  readonly width: number;
  readonly data: Float64Array;
}

/**
 * Peak signal-to-noise ratio on Y, in dB; Infinity for equal images.
 * @param shave pixels left out on every side (the scale, by custom)
 * @throws RangeError when shapes differ, an image is not RGB, or nothing is left after shaving
 */
export function psnrY(reference: Image, estimate: Image, shave: number): number {
  const [a, b] = lumaPair(reference, estimate, shave, 1);
  let squares = 0;
  for (let i = 0; i < a.data.length; i++) squares += (a.data[i]! - b.data[i]!) ** 2;
  return 10 * Math.log10((PEAK * PEAK * a.data.length) / squares);
}

/**
 * Structural similarity on Y, averaged over all positions of an 11×11 Gaussian window; 1 for equal images.
 * @param shave pixels left out on every side
 * @throws RangeError as `psnrY`, and when less than the window is left
 */
export function ssimY(reference: Image, estimate: Image, shave: number): number {
  const [a, b] = lumaPair(reference, estimate, shave, SSIM_WINDOW);
  const window = gaussianWindow();
  const meanA = filterValid(a, window).data;
  const meanB = filterValid(b, window).data;
  const squareA = filterValid(product(a, a), window).data;
  const squareB = filterValid(product(b, b), window).data;
  const cross = filterValid(product(a, b), window).data;
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const ma = meanA[i]!;
    const mb = meanB[i]!;
    const variances = squareA[i]! - ma * ma + (squareB[i]! - mb * mb);
    const covariance = cross[i]! - ma * mb;
    sum +=
      ((2 * ma * mb + SSIM_C1) * (2 * covariance + SSIM_C2)) / ((ma * ma + mb * mb + SSIM_C1) * (variances + SSIM_C2));
  }
  return sum / meanA.length;
}

function lumaPair(reference: Image, estimate: Image, shave: number, smallestSide: number): [Plane, Plane] {
  const shapes = [reference, estimate].map((image) => `[${image.height}, ${image.width}, ${image.channels}]`);
  if (shapes[0] !== shapes[1]) throw new RangeError(`cannot compare images of shapes ${shapes.join(" and ")}`);
  if (reference.channels !== 3) throw new RangeError(`luma needs RGB images, not ${shapes[0]}`);
  if (Math.min(reference.height, reference.width) - 2 * shave < smallestSide) {
    throw new RangeError(`images of shape ${shapes[0]} are too small to compare with ${shave} pixels shaved`);
  }
  return [luma(reference, shave), luma(estimate, shave)];
}

/** Y of the 8-bit image, rounded to 8 bits, without the border. */
function luma(image: Image, shave: number): Plane {
  const bytes = toBytes(image);
  const height = image.height - 2 * shave;
  const width = image.width - 2 * shave;
  const data = new Float64Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = ((y + shave) * image.width + x + shave) * 3;
      const weighted = 65.481 * bytes[i]! + 128.553 * bytes[i + 1]! + 24.966 * bytes[i + 2]!;
      data[y * width + x] = Math.round(weighted / 255 + 16);
    }
  }
  return { height, width, data };
}

function product(a: Plane, b: Plane): Plane {
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = a.data[i]! * b.data[i]!;
  return { ...a, data };
}

function gaussianWindow(): Float64Array {
  const centre = (SSIM_WINDOW - 1) / 2;
  const window = Float64Array.from({ length: SSIM_WINDOW }, (_, i) =>
    portableExp(-((i - centre) ** 2) / (2 * SSIM_SIGMA ** 2)),
  );
  const sum = window.reduce((total, value) => total + value, 0);
  return window.map((value) => value / sum);
}

/** Separable correlation where the whole window lies inside the plane. */
function filterValid(plane: Plane, window: Float64Array): Plane {
  const { data: levels, width: stride } = plane;
  const width = stride - window.length + 1;
  const rows = new Float64Array(plane.height * width);
  for (let y = 0; y < plane.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let t = 0; t < window.length; t++) sum += window[t]! * levels[y * stride + x + t]!;
      rows[y * width + x] = sum;
    }
  }
  const height = plane.height - window.length + 1;
  const data = new Float64Array(height * width);
  for (let t = 0; t < window.length; t++) {
    const weight = window[t]!;
    for (let i = 0; i < data.length; i++) data[i]! += weight * rows[i + t * width]!;
  }
  return { height, width, data };
}
