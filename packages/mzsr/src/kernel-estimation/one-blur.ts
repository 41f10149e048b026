/**
 * A lens, or the way a photo was made smaller, blurs all of it alike. What the photo as a whole looks like is held against its
 * regions: where they differ, that is the motif.
 */
import type { Prediction } from "./estimator.js";
import { type BlurWidths, type KernelRoot, widthsOf } from "./kernel-root.js";
import { ramp } from "./ramp.js";
import { quantile } from "./spectrum-features.js";

/** A region counts as sharper by what is beyond this multiple of its own expected error: the sharpest of nine estimates is below the truth. */
const REGION_MARGIN = 0.8;

/**
 * A lens blurs the same in all directions. Where the two widths differ by less than the first multiple of their expected error they
 * are taken for the same, from the second on for what they are, in between along a line: lines that run one way (wings, stripes)
 * show blur across them alone, and make it look wider along them than it is.
 */
const ROUND = { within: 3, beyond: 5 } as const;

/**
 * The widths in HR pixels that go with what is seen.
 * @param regions of the photo; none where it is too small or shows structure nowhere
 */
export function oneBlur(whole: Prediction, regions: readonly Prediction[]): BlurWidths {
  const { theta } = widthsOf(whole.root);
  const mean = meanWidth(whole.root) - softnessOf(whole, regions);
  const difference = differenceOf(whole, regions);
  return { theta: difference === 0 ? 0 : theta, sigma1: mean + difference / 2, sigma2: mean - difference / 2 };
}

/** How much wider the whole looks than its sharpest region: where one part looks wider, it was out of focus or soft by itself. */
function softnessOf(whole: Prediction, regions: readonly Prediction[]): number {
  return regions.reduce((most, { root, error }) => {
    const sharper = meanWidth(whole.root) - meanWidth(root);
    return Math.max(most, sharper - REGION_MARGIN * error);
  }, 0);
}

/** σ1 − σ2 as far as it is clear, and as half of the regions show it in the same direction. */
function differenceOf({ root, error }: Prediction, regions: readonly Prediction[]): number {
  const { sigma1, sigma2, theta } = widthsOf(root);
  const seen = sigma1 - sigma2;
  const clear = seen * ramp(seen / error, ROUND.within, ROUND.beyond);
  if (regions.length === 0) return clear;
  const shown = regions.map((region) => differenceAlong(region.root, theta)).sort((a, b) => a - b);
  return Math.min(clear, Math.max(0, quantile(shown, 0.5)));
}

function meanWidth({ xx, yy }: KernelRoot): number {
  return (xx + yy) / 2;
}

/** How much wider a blur is along the direction `theta` than across it; negative where it is narrower. */
function differenceAlong({ xx, yy, xy }: KernelRoot, theta: number): number {
  return (xx - yy) * Math.cos(2 * theta) + 2 * xy * Math.sin(2 * theta);
}
