/**
 * The square root of a Gaussian kernel's covariance, Σ^½: the unit of its elements is pixels, as that of a blur's width,
 * and estimates of it can be averaged.
 */
import type { GaussianShape } from "../degradation/kernel.js";

/** The elements of a symmetric matrix, in HR pixels; x to the right, y downwards. */
export interface KernelRoot {
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
}

/** The widths σ1 ≥ σ2 of a blur along its axes, in HR pixels, and the first axis' angle to x, in radians, in (−π/2, π/2]. */
export interface BlurWidths {
  readonly sigma1: number;
  readonly sigma2: number;
  readonly theta: number;
}

export function rootOf({ lambda1, lambda2, theta }: GaussianShape): KernelRoot {
  return rootOfWidths({ sigma1: Math.sqrt(lambda1), sigma2: Math.sqrt(lambda2), theta });
}

export function rootOfWidths({ sigma1, sigma2, theta }: BlurWidths): KernelRoot {
  const [cos, sin] = [Math.cos(theta), Math.sin(theta)];
  return {
    xx: sigma1 * cos * cos + sigma2 * sin * sin,
    yy: sigma1 * sin * sin + sigma2 * cos * cos,
    xy: (sigma1 - sigma2) * cos * sin,
  };
}

/** Eigenvalues and the first eigenvector's angle. */
export function widthsOf({ xx, yy, xy }: KernelRoot): BlurWidths {
  const mean = (xx + yy) / 2;
  const radius = Math.hypot((xx - yy) / 2, xy);
  return { sigma1: mean + radius, sigma2: mean - radius, theta: Math.atan2(2 * xy, xx - yy) / 2 };
}

/** The Gaussian of these widths, each taken into [least, most]. */
export function shapeOf({ sigma1, sigma2, theta }: BlurWidths, least: number, most: number): GaussianShape {
  const variance = (sigma: number) => Math.min(Math.max(sigma, least), most) ** 2;
  return { lambda1: variance(sigma1), lambda2: variance(sigma2), theta };
}
