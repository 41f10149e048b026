import type { KernelValidation, ValidationSummary } from "@mzsr/shared";
import type { Measurement } from "./validation-computer.js";

type Head = Pick<ValidationSummary, "step" | "weights" | "images" | "updates">;

/** Means over images, kernel by kernel in the order given, and over all. */
export function summaryOfMeasurements(
  measured: readonly { readonly kernel: string; readonly measurement: Measurement }[],
  head: Head,
): ValidationSummary {
  const kernels = [...new Set(measured.map(({ kernel }) => kernel))].map((kernel): KernelValidation => {
    const own = measured.filter((each) => each.kernel === kernel).map(({ measurement }) => measurement);
    return { kernel, ...means(own) };
  });
  const all = measured.map(({ measurement }) => measurement);
  return { ...head, ...means(all), kernels, seconds: all.reduce((sum, { seconds }) => sum + seconds, 0) };
}

function means(measurements: readonly Measurement[]): Pick<KernelValidation, "bicubic" | "psnr"> {
  const psnr = measurements[0]!.psnr.map((_, i) => mean(measurements.map((each) => each.psnr[i]!)));
  return { bicubic: mean(measurements.map(({ bicubic }) => bicubic)), psnr };
}

/** To a ten thousandth of a dB. */
function mean(values: readonly number[]): number {
  return Math.round((1e4 * values.reduce((sum, value) => sum + value, 0)) / values.length) / 1e4;
}
