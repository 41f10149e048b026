/** The definition of exact sums in integer arithmetic, for tests. */

/** Smallest positive float32 is 2^-149: `x` in these units. */
export function unitsOf(x: number): bigint {
  const [numerator, denominator] = ratio(x);
  return (numerator << 149n) / denominator;
}

/** hi(x) in units of 2^-20 and lo(x) in units of 2^-60: each nearest to what it has to represent, ties to even. */
export function exactParts(x: number): { readonly high: bigint; readonly low: bigint } {
  const units = unitsOf(x);
  const high = dividedToNearest(units, 1n << 129n);
  const low = dividedToNearest(units - (high << 129n), 1n << 89n);
  return { high, low };
}

/** For each element, Σ hi in units of 2^-20 and Σ lo in units of 2^-60. */
export function sumsInIntegers(gradients: readonly Float32Array[]): { readonly high: bigint; readonly low: bigint }[] {
  return Array.from(gradients[0]!, (_, i) =>
    gradients
      .map((gradient) => exactParts(gradient[i]!))
      .reduce((sum, part) => ({ high: sum.high + part.high, low: sum.low + part.low })),
  );
}

/** A finite float64 as a fraction whose denominator is a power of two. */
export function ratio(x: number): readonly [numerator: bigint, denominator: bigint] {
  let denominator = 1n;
  let scaled = x;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return [BigInt(scaled), denominator];
}

/** The float64 nearest to a fraction in the normal range, ties to even; 0 is +0. */
export function roundedToDouble(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const size = magnitude(numerator).toString(2).length - denominator.toString(2).length;
  // At least 53 binary digits of the quotient, at most 54, are whole: one too many is rounded off in a second try.
  for (let shift = 53 - size; ; shift--) {
    const quotient =
      shift >= 0
        ? dividedToNearest(numerator << BigInt(shift), denominator)
        : dividedToNearest(numerator, denominator << BigInt(-shift));
    if (magnitude(quotient) <= 2n ** 53n) return Number(quotient) * 2 ** -shift;
  }
}

function dividedToNearest(numerator: bigint, denominator: bigint): bigint {
  const whole = magnitude(numerator) / denominator;
  const twice = 2n * (magnitude(numerator) % denominator);
  const up = twice > denominator || (twice === denominator && whole % 2n === 1n);
  const quotient = whole + (up ? 1n : 0n);
  return numerator < 0n ? -quotient : quotient;
}

function magnitude(x: bigint): bigint {
  return x < 0n ? -x : x;
}
