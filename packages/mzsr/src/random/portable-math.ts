/**
 * Elementary functions made of IEEE-754 additions, multiplications and divisions alone.
 *
 * ECMAScript leaves the last bits of Math.exp, Math.log, Math.sin and Math.cos to the engine, and V8's differ between
 * its versions and the compilers it was built with. The determinism contract asks for the same bits on every machine,
 * so whatever feeds a kernel, a noise value or a parameter uses these. JavaScript's own + − × ÷ and Math.sqrt are
 * exactly rounded by definition. Errors stay within 2 units in the last place.
 */

/** ln 2 and π/2 as sums whose leading parts have few bits, so that their products with small integers are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_MIDDLE = 6.077100506303966e-11;
const HALF_PI_LOW = 2.0222662487959506e-21;

/** Beyond this the three-part π/2 loses bits, and nothing here needs such angles. */
const LARGEST_ANGLE = 1e5;

/** [exponent, 2^exponent], largest first; squaring powers of two is exact. */
const POWERS_OF_TWO: readonly (readonly [number, number])[] = powersOfTwo();

/** The halves of `portableExp`'s exponents lie within ± this. */
const LARGEST_SMALL_POWER = 540;
/** 2^−540 … 2^540: a blur kernel takes 450 of them, and a task is drawn with a kernel of its own. */
const SMALL_POWERS = Float64Array.from({ length: 2 * LARGEST_SMALL_POWER + 1 }, (_, i) =>
  productOfPowers(i - LARGEST_SMALL_POWER),
);

const EXP_COEFFICIENTS = series(14, (n) => 1 / factorial(n));
const LOG_COEFFICIENTS = series(12, (n) => 2 / (2 * n + 1));
const SIN_COEFFICIENTS = series(9, (n) => (n % 2 === 0 ? 1 : -1) / factorial(2 * n + 1));
const COS_COEFFICIENTS = series(10, (n) => (n % 2 === 0 ? 1 : -1) / factorial(2 * n));

/** e^x; 0 below the smallest double, Infinity above the largest. */
export function portableExp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.1332191019412) return 0;
  const k = Math.round(x / Math.LN2);
  const remainder = x - k * LN2_HIGH - k * LN2_LOW;
  const mantissa = polynomial(EXP_COEFFICIENTS, remainder);
  // In two halves: 2^k alone may lie outside the doubles where the result does not.
  const half = Math.trunc(k / 2);
  return mantissa * powerOfTwo(half) * powerOfTwo(k - half);
}

/** Natural logarithm; −Infinity at 0, NaN below. */
export function portableLog(x: number): number {
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x === 0 ? Number.NEGATIVE_INFINITY : x > 0 ? x : Number.NaN;
  let mantissa = x;
  let exponent = 0;
  for (const [power, value] of POWERS_OF_TWO) {
    if (mantissa >= value) {
      mantissa /= value;
      exponent += power;
    } else if (mantissa * value < 2) {
      mantissa *= value;
      exponent -= power;
    }
  }
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  // ln m = 2 artanh((m − 1) / (m + 1)), and |(m − 1) / (m + 1)| < 0.172.
  const s = (mantissa - 1) / (mantissa + 1);
  return exponent * LN2_HIGH + (s * polynomial(LOG_COEFFICIENTS, s * s) + exponent * LN2_LOW);
}

/** Sine of an angle in radians, |x| ≤ 1e5. */
export function portableSin(x: number): number {
  const { quadrant, remainder } = reduceAngle(x);
  const value = quadrant % 2 === 0 ? sinNearZero(remainder) : cosNearZero(remainder);
  return quadrant < 2 ? value : -value;
}

/** Cosine of an angle in radians, |x| ≤ 1e5. */
export function portableCos(x: number): number {
  const { quadrant, remainder } = reduceAngle(x);
  const value = quadrant % 2 === 0 ? cosNearZero(remainder) : sinNearZero(remainder);
  return quadrant === 0 || quadrant === 3 ? value : -value;
}

function sinNearZero(r: number): number {
  return r * polynomial(SIN_COEFFICIENTS, r * r);
}

function cosNearZero(r: number): number {
  return polynomial(COS_COEFFICIENTS, r * r);
}

/** x = quarterTurns · π/2 + remainder with |remainder| ≤ π/4; the quadrant is quarterTurns mod 4. */
function reduceAngle(x: number): { quadrant: number; remainder: number } {
  if (!(Math.abs(x) <= LARGEST_ANGLE)) throw new RangeError(`angle ${x} is outside ±${LARGEST_ANGLE}`);
  const quarterTurns = Math.round(x / (Math.PI / 2));
  const remainder = x - quarterTurns * HALF_PI_HIGH - quarterTurns * HALF_PI_MIDDLE - quarterTurns * HALF_PI_LOW;
  return { quadrant: ((quarterTurns % 4) + 4) % 4, remainder };
}

/** Horner's rule, lowest power first in `coefficients`. */
function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let n = coefficients.length - 1; n >= 0; n--) sum = sum * x + coefficients[n]!;
  return sum;
}

function powerOfTwo(exponent: number): number {
  return SMALL_POWERS[exponent + LARGEST_SMALL_POWER] ?? productOfPowers(exponent);
}

/** Exact: every partial product is a power of two. */
function productOfPowers(exponent: number): number {
  let rest = Math.abs(exponent);
  let result = 1;
  for (const [power, value] of POWERS_OF_TWO) {
    if (rest >= power) {
      result *= value;
      rest -= power;
    }
  }
  return exponent < 0 ? 1 / result : result;
}

function powersOfTwo(): [number, number][] {
  const powers: [number, number][] = [];
  for (let exponent = 1, value = 2; exponent <= 512; exponent *= 2, value *= value) powers.unshift([exponent, value]);
  return powers;
}

function series(terms: number, coefficient: (n: number) => number): number[] {
  return Array.from({ length: terms }, (_, n) => coefficient(n));
}

/** Exact up to 18!, and rounded once a factor beyond. */
function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}
