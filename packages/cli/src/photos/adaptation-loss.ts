/** What it costs to adapt a model with another kernel than the one that a photo was degraded with. */
import type { MethodName, Scores } from "./evaluate-photo.js";
import { BICUBIC } from "./evaluate-photo.js";

export interface AdaptationLoss {
  /** The number of steps after which the loss is taken: the most. */
  readonly updates: MethodName;
  /** dB of PSNR-Y that are missing; negative where the other kernel was better. */
  readonly loss: number;
  /** PSNR-Y with the true kernel, dB. */
  readonly withTrueKernel: number;
  /** How far the result is above bicubic interpolation, dB. */
  readonly aboveBicubic: number;
}

/** @param scores with the other kernel @param known with the true one */
export function lossOf(scores: Scores, known: Scores): AdaptationLoss {
  const updates = String(
    Math.max(
      ...Object.keys(scores.psnrY)
        .filter((method) => method !== BICUBIC)
        .map(Number),
    ),
  );
  const reached = scores.psnrY[updates]!;
  const withTrueKernel = known.psnrY[updates]!;
  const aboveBicubic = reached - scores.psnrY[BICUBIC]!;
  return { updates, loss: withTrueKernel - reached, withTrueKernel, aboveBicubic };
}

/** `loss against the true kernel after 10 steps: mean 0.19, median 0.08, worst 2.43 dB (baby.png)`, and what fell below bicubic. */
export function lossLines(rows: readonly { readonly name: string; readonly loss: AdaptationLoss }[]): string[] {
  const sorted = [...rows].sort((a, b) => a.loss.loss - b.loss.loss);
  const mean = rows.reduce((sum, { loss }) => sum + loss.loss, 0) / rows.length;
  const median = (sorted[(rows.length - 1) >> 1]!.loss.loss + sorted[rows.length >> 1]!.loss.loss) / 2;
  const worst = sorted.at(-1)!;
  const below = rows.filter(({ loss }) => loss.aboveBicubic < 0);
  const steps = worst.loss.updates === "1" ? "1 step" : `${worst.loss.updates} steps`;
  return [
    `loss against the true kernel after ${steps}: mean ${mean.toFixed(2)}, median ${median.toFixed(2)}, worst ${worst.loss.loss.toFixed(2)} dB (${worst.name})`,
    `below bicubic: ${below.length === 0 ? "none" : below.map(({ name }) => name).join(", ")}`,
  ];
}
