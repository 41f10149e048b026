/** Tone curves of ICC profiles (ICC.1:2022, 10.6 and 10.18): from a stored value to light, and back. */

/** Both ways rise, and take values beyond [0, 1] where the curve is a formula. */
export interface ToneCurve {
  toLight(value: number): number;
  fromLight(light: number): number;
}

const PARAMETERS = [1, 3, 4, 5, 7];

/** sRGB's own, IEC 61966-2-1. */
export const SRGB_CURVE: ToneCurve = formula([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0]);

/** @returns undefined where the bytes are no curve that is known here, or one that falls */
export function parseToneCurve(bytes: DataView): ToneCurve | undefined {
  if (bytes.byteLength < 12) return undefined;
  const type = bytes.getUint32(0);
  if (type === 0x63757276) return sampledCurve(bytes);
  if (type === 0x70617261) return parametricCurve(bytes);
  return undefined;
}

/** `curv`: nothing is the identity, one number a power, more are samples. */
function sampledCurve(bytes: DataView): ToneCurve | undefined {
  const count = bytes.getUint32(8);
  if (bytes.byteLength < 12 + 2 * count) return undefined;
  if (count === 0) return formula([1, 1, 0, 0, -1, 0, 0]);
  if (count === 1) return formula([bytes.getUint16(12) / 256, 1, 0, 0, -1, 0, 0]);
  const samples = Float64Array.from({ length: count }, (_, i) => bytes.getUint16(12 + 2 * i) / 65535);
  return samples.every((sample, i) => i === 0 || sample >= samples[i - 1]!) && samples[count - 1]! > samples[0]!
    ? { toLight: (value) => interpolated(samples, value), fromLight: (light) => inverted(samples, light) }
    : undefined;
}

/** `para`: g, a, b, c, d, e, f as far as the type has them. */
function parametricCurve(bytes: DataView): ToneCurve | undefined {
  const count = PARAMETERS[bytes.getUint16(8)];
  if (count === undefined || bytes.byteLength < 12 + 4 * count) return undefined;
  const [g, a, b, c, d, e, f] = Array.from({ length: count }, (_, i) => bytes.getInt32(12 + 4 * i) / 65536);
  if (!(g! > 0) || (a !== undefined && !(a > 0))) return undefined;
  switch (count) {
    case 1:
      return formula([g!, 1, 0, 0, -1, 0, 0]);
    case 3:
      return formula([g!, a!, b!, 0, -b! / a!, 0, 0]);
    case 4:
      return formula([g!, a!, b!, 0, -b! / a!, c!, c!]);
    default:
      return c! > 0 ? formula([g!, a!, b!, c!, d!, e ?? 0, f ?? 0]) : undefined;
  }
}

/** (a x + b)^g + e from d on, c x + f below. A negative x mirrors the curve where nothing is added. */
function formula([g, a, b, c, d, e, f]: readonly [number, number, number, number, number, number, number]): ToneCurve {
  const edge = d < 0 ? 0 : (a * d + b) ** g + e;
  const upward = (x: number) => (x >= d ? (a * x + b) ** g + e : c * x + f);
  const back = (y: number) => (y >= edge || c === 0 ? (Math.max(0, y - e) ** (1 / g) - b) / a : (y - f) / c);
  const odd = e === 0 && f === 0 && (c > 0 || b === 0);
  const mirrored = (curve: (x: number) => number) => (x: number) => (x < 0 && odd ? -curve(-x) : curve(Math.max(0, x)));
  return { toLight: mirrored(upward), fromLight: mirrored(back) };
}

function interpolated(samples: Float64Array, value: number): number {
  const at = Math.min(1, Math.max(0, value)) * (samples.length - 1);
  const below = Math.min(Math.floor(at), samples.length - 2);
  return samples[below]! + (at - below) * (samples[below + 1]! - samples[below]!);
}

/** The smallest value that gives this much light. */
function inverted(samples: Float64Array, light: number): number {
  if (light <= samples[0]!) return 0;
  let [low, high] = [0, samples.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (samples[middle]! < light) low = middle;
    else high = middle;
  }
  const rise = samples[high]! - samples[low]!;
  return Math.min(1, (low + (rise > 0 ? (light - samples[low]!) / rise : 1)) / (samples.length - 1));
}
