/** Widths of blur (standard deviations, in HR pixels) that training draws kernels from and an estimate stays within. */
export function widthRange(scale: number): { readonly least: number; readonly most: number } {
  return { least: Math.sqrt(LEAST_VARIANCE), most: Math.sqrt(VARIANCE_PER_SCALE * scale) };
}

const LEAST_VARIANCE = 0.2;
/** As the configuration's default for `degradation.lambdaMax`. */
const VARIANCE_PER_SCALE = 2.5;
