import type { KernelEstimate } from "./estimate-kernel.js";
import { rootOf, widthsOf } from "./kernel-root.js";

/** Ratios of the two widths from which a blur is called a little wider, wider, and much wider one way. */
const WIDER = [
  { from: 2, words: "much wider" },
  { from: 1.4, words: "wider" },
  { from: 1.15, words: "a little wider" },
] as const;

/** A mean width below this, in pixels of the result, is what a good lens leaves. */
const HARDLY_ANY = 0.65;

/**
 * `about 1.7 px of blur, a little wider along 30°; direct; sure to 0.1 px`. Pixels are those of the result, the blur is the
 * mean standard deviation, the angle is counted from the horizontal, anticlockwise as one sees the photo.
 */
export function describeEstimate({ shape, downsampling, uncertainty, certain }: KernelEstimate): string {
  const { sigma1, sigma2, theta } = widthsOf(rootOf(shape));
  const mean = (sigma1 + sigma2) / 2;
  const sharp = mean < HARDLY_ANY;
  const blur = sharp ? `hardly any blur (${mean.toFixed(1)} px)` : `about ${mean.toFixed(1)} px of blur`;
  const wider = sharp ? undefined : WIDER.find(({ from }) => sigma1 >= from * sigma2);
  const degrees = (Math.round((-theta * 180) / Math.PI / 5) * 5 + 180) % 180;
  const direction = wider === undefined ? "" : `, ${wider.words} along ${degrees}°`;
  const sure = certain
    ? `sure to ${uncertainty.toFixed(2)} px`
    : `unsure (${uncertainty.toFixed(2)} px), so rather too narrow`;
  return `${blur}${direction}; ${downsampling}; ${sure}`;
}
