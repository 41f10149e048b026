import { InputError } from "../errors.js";
import { portableCos, portableExp, portableSin } from "../random/portable-math.js";

/** A blur kernel: odd side, weights that sum to 1, row by row; the middle weight belongs to the pixel itself. */
export interface BlurKernel {
  /** Side, in HR pixels. */
  readonly size: number;
  /** size · size weights; row y, column x is at y · size + x. */
  readonly data: Float64Array;
}

/** Side of the kernels of training and of the named kernels, in HR pixels. */
export const KERNEL_SIZE = 15;

/** A larger kernel costs more than 3,700 multiplications a value and is most likely a mistake. */
export const LARGEST_KERNEL = 61;

/** Variances outside these would be a single pixel or a box. */
export const VARIANCE_RANGE = { least: 0.01, most: 1000 } as const;

/** Shape of a Gaussian blur. */
export interface GaussianShape {
  /** Variance along the first axis, in HR pixels². */
  readonly lambda1: number;
  /** Variance along the second axis, in HR pixels². */
  readonly lambda2: number;
  /** Angle of the first axis to the image's x axis, in radians. */
  readonly theta: number;
}

/**
 * The paper's test kernels (its tables 1 and 2), with the downsampling that each is tested with; `gani` is Set5's
 * (BSD100 and Urban100 have λ1 = 5).
 */
export const PAPER_KERNELS = {
  "g0.2": { lambda1: 0.2, lambda2: 0.2, theta: 0, downsampling: "direct" },
  "g2.0": { lambda1: 2, lambda2: 2, theta: 0, downsampling: "direct" },
  gani: { lambda1: 4, lambda2: 1, theta: -0.5, downsampling: "direct" },
  "g1.3": { lambda1: 1.3, lambda2: 1.3, theta: 0, downsampling: "bicubic" },
} as const;

/**
 * Anisotropic Gaussian with covariance V diag(λ1, λ2) Vᵀ (paper, eq. 10), normalised to sum 1.
 * @throws InputError when a variance is out of range, θ is not finite or the size is not odd
 */
export function gaussianKernel(shape: GaussianShape & { readonly size?: number }): BlurKernel {
  const { lambda1, lambda2, theta, size = KERNEL_SIZE } = shape;
  checkGaussian(shape);
  checkSize(size);
  const cos = portableCos(theta);
  const sin = portableSin(theta);
  // The inverse of V diag(λ1, λ2) Vᵀ is V diag(1/λ1, 1/λ2) Vᵀ.
  const xx = (cos * cos) / lambda1 + (sin * sin) / lambda2;
  const yy = (sin * sin) / lambda1 + (cos * cos) / lambda2;
  const xy = cos * sin * (1 / lambda1 - 1 / lambda2);
  const centre = (size - 1) / 2;
  const data = new Float64Array(size * size);
  for (let i = 0; i < data.length; i++) {
    const x = (i % size) - centre;
    const y = Math.floor(i / size) - centre;
    data[i] = portableExp(-0.5 * (xx * x * x + 2 * xy * x * y + yy * y * y));
  }
  return { size, data: scaledToSumOne(data) };
}

function checkGaussian({ lambda1, lambda2, theta }: GaussianShape): void {
  const { least, most } = VARIANCE_RANGE;
  for (const lambda of [lambda1, lambda2]) {
    if (!(lambda >= least && lambda <= most)) {
      throw new InputError(`kernel variance ${lambda} is out of range`, {
        expected: `λ1 and λ2 from ${least} to ${most}`,
      });
    }
  }
  if (!(Math.abs(theta) <= 1000))
    throw new InputError(`kernel angle ${theta} is no angle`, { expected: "θ in radians" });
}

/** @throws InputError when the side is even or too large */
export function checkSize(size: number, where?: string): void {
  if (Number.isInteger(size) && size % 2 === 1 && size >= 1 && size <= LARGEST_KERNEL) return;
  const why = size > LARGEST_KERNEL ? "too large" : "not odd";
  throw new InputError(`kernel of ${size}×${size} is ${why}`, {
    ...(where === undefined ? {} : { where }),
    expected: `an odd side up to ${LARGEST_KERNEL}`,
  });
}

export function scaledToSumOne(data: Float64Array): Float64Array {
  const sum = data.reduce((total, weight) => total + weight, 0);
  return data.map((weight) => weight / sum);
}
