/**
 * ICC profiles whose colours are three tone curves and a matrix, or one curve for grey: those of cameras, screens and working
 * spaces (Adobe RGB, Display P3, ProPhoto). They are converted in floating point and without clipping, so that there and back
 * again loses nothing, also of colours that sRGB does not have. Profiles of tables (scanners, printers) are not read.
 */
import type { Image } from "./image.js";
import { parseToneCurve, SRGB_CURVE, type ToneCurve } from "./tone-curve.js";

export interface ColourConversion {
  /** RGB as stored → sRGB. */
  toSrgb(image: Image): Image;
  /** sRGB → RGB as it is to be stored. Neither clipped nor rounded. */
  fromSrgb(image: Image): Image;
}

/** Three rows: X, Y, Z of red, green and blue light, relative to D50. */
type Matrix = readonly (readonly [number, number, number])[];

/** sRGB's primaries, adapted to D50 by Bradford's transform as in its ICC profile. */
const SRGB_TO_XYZ: Matrix = [
  [0.4360747, 0.3850649, 0.1430804],
  [0.2225045, 0.7168786, 0.0606169],
  [0.0139322, 0.0971045, 0.7141733],
];

const HEADER_BYTES = 128;

/**
 * How a profile's colours become sRGB, relative to white, and how they come back.
 * @returns undefined where the profile is made of tables, is of another colour space than RGB or grey, or is broken
 */
export function colourConversion(profile: Uint8Array): ColourConversion | undefined {
  const tags = readTags(profile);
  const space = tags && text(profile, 16);
  if (tags === undefined || tags.has("A2B0")) return undefined;
  if (space === "GRAY") {
    const grey = parseToneCurve(tags.get("kTRC") ?? NOTHING);
    return grey && conversion([grey, grey, grey], IDENTITY);
  }
  if (space !== "RGB ") return undefined;
  const curves = ["rTRC", "gTRC", "bTRC"].map((name) => parseToneCurve(tags.get(name) ?? NOTHING));
  const columns = ["rXYZ", "gXYZ", "bXYZ"].map((name) => parseXyz(tags.get(name) ?? NOTHING));
  if (!columns.every((column) => column !== undefined)) return undefined;
  const toXyz = [0, 1, 2].map((row) => [columns[0]![row]!, columns[1]![row]!, columns[2]![row]!] as const);
  const [red, green, blue] = curves;
  if (red === undefined || green === undefined || blue === undefined || inverse(toXyz) === undefined) return undefined;
  return conversion([red, green, blue], product(inverse(SRGB_TO_XYZ)!, toXyz));
}

function conversion(curves: readonly [ToneCurve, ToneCurve, ToneCurve], toSrgbLight: Matrix): ColourConversion {
  const srgb = [SRGB_CURVE, SRGB_CURVE, SRGB_CURVE] as const;
  const back = inverse(toSrgbLight)!;
  return {
    toSrgb: (image) => converted(image, curves, toSrgbLight, srgb),
    fromSrgb: (image) => converted(image, srgb, back, curves),
  };
}

type Curves = readonly [ToneCurve, ToneCurve, ToneCurve];

function converted(image: Image, from: Curves, [red, green, blue]: Matrix, to: Curves): Image {
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i += 3) {
    const r = from[0].toLight(image.data[i]!);
    const g = from[1].toLight(image.data[i + 1]!);
    const b = from[2].toLight(image.data[i + 2]!);
    data[i] = to[0].fromLight(red![0] * r + red![1] * g + red![2] * b);
    data[i + 1] = to[1].fromLight(green![0] * r + green![1] * g + green![2] * b);
    data[i + 2] = to[2].fromLight(blue![0] * r + blue![1] * g + blue![2] * b);
  }
  return { ...image, data };
}

const NOTHING = new DataView(new ArrayBuffer(0));

/** The parts of a profile by name; undefined where it is none. */
function readTags(profile: Uint8Array): Map<string, DataView> | undefined {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  if (profile.length < HEADER_BYTES + 4 || text(profile, 36) !== "acsp") return undefined;
  const tags = new Map<string, DataView>();
  const count = Math.min(view.getUint32(HEADER_BYTES), Math.floor((profile.length - HEADER_BYTES - 4) / 12));
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + 4 + 12 * i;
    const [start, length] = [view.getUint32(at + 4), view.getUint32(at + 8)];
    if (start + length > profile.length) return undefined;
    tags.set(text(profile, at), new DataView(profile.buffer, profile.byteOffset + start, length));
  }
  return tags;
}

function text(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function parseXyz(bytes: DataView): readonly [number, number, number] | undefined {
  if (bytes.byteLength < 20) return undefined;
  return [bytes.getInt32(8) / 65536, bytes.getInt32(12) / 65536, bytes.getInt32(16) / 65536];
}

const IDENTITY: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const at = (column: 0 | 1 | 2) => row[0] * b[0]![column] + row[1] * b[1]![column] + row[2] * b[2]![column];
    return [at(0), at(1), at(2)] as const;
  });
}

/** By cofactors; undefined where there is none. */
function inverse([p, q, r]: Matrix): Matrix | undefined {
  const [[a, b, c], [d, e, f], [g, h, i]] = [p!, q!, r!];
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (!(Math.abs(determinant) > 1e-9)) return undefined;
  const cofactors = [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ] as const;
  return cofactors.map(([x, y, z]) => [x / determinant, y / determinant, z / determinant] as const);
}
