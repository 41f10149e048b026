/** A photo as a file, with as much of what it carries as the format holds. */
import type { Sharp } from "sharp";
import { colourConversion } from "../imaging/colour-profile.js";
import { loadSharp, namesSrgb } from "../imaging/image-file.js";
import { type FormatLimits, IMAGE_FORMATS, type ImageFormat } from "../imaging/image-formats.js";
import { exifChunk, profileChunk, withPngChunks } from "../imaging/png-chunks.js";
import type { CarriedData, Photo } from "./photo.js";

export interface EncodingOptions {
  /** Of JPEG, WebP and AVIF, from 1 to 100. Default 90. */
  readonly quality?: number | undefined;
  /** What the picture is: EXIF's ImageDescription, in ASCII. */
  readonly description?: string | undefined;
}

export interface EncodedPhoto {
  readonly bytes: Buffer;
  /** One sentence for each thing that the format does not hold. */
  readonly notes: readonly string[];
}

/** A photo without its pixels. */
export type PhotoTraits = Omit<Photo, "data">;

type ColourConversion = NonNullable<ReturnType<typeof colourConversion>>;

const DEFAULT_QUALITY = 90;

/** Values are clipped to what the file can hold and rounded. The photo's sides must be within the format's. */
export async function encodePhoto(
  photo: Photo,
  format: ImageFormat,
  options: EncodingOptions = {},
): Promise<EncodedPhoto> {
  const encoder = new PhotoEncoder(photo, format);
  encoder.add(0, photo);
  return encoder.finish(options);
}

/** Encodes a photo that comes in bands of rows: only what the file holds of them stays in memory. */
export class PhotoEncoder {
  readonly #photo: PhotoTraits;
  readonly #format: ImageFormat;
  readonly #limits: FormatLimits;
  readonly #samples: Uint8ClampedArray | Uint16Array;
  readonly #layout: SampleLayout;
  readonly #conversion: ColourConversion | undefined;
  #transparent = false;

  /** @param photo only its size and what it carries are looked at */
  constructor(photo: PhotoTraits, format: ImageFormat) {
    this.#photo = photo;
    this.#format = format;
    this.#limits = IMAGE_FORMATS[format];
    this.#layout = sampleLayout(photo, this.#limits);
    const { wide, channels } = this.#layout;
    const length = photo.height * photo.width * channels;
    this.#samples = wide ? new Uint16Array(length) : new Uint8ClampedArray(length);
    const profile = photo.carried?.profile;
    this.#conversion = profile === undefined || namesSrgb(profile) ? undefined : colourConversion(profile);
  }

  /** @param top where the rows of `band` begin; it has alpha where the photo has */
  add(top: number, band: Photo): void {
    const stored = this.#conversion === undefined ? band : { ...band, ...this.#conversion.fromSrgb(band) };
    this.#transparent ||= band.alpha?.data.some((value) => value < 1) === true;
    const { data } = this.#limits.alpha || band.alpha === undefined ? stored : onWhite(stored, band.alpha);
    storeSamples(data, band.alpha?.data, this.#layout, this.#samples, top * band.width);
  }

  async finish({ quality = DEFAULT_QUALITY, description }: EncodingOptions = {}): Promise<EncodedPhoto> {
    const sharp = await loadSharp();
    const { wide, channels } = this.#layout;
    const { width, height, carried = {} } = this.#photo;
    // Without a target space sharp would make three channels of one, and 8 bits of 16.
    const space = channels > 2 ? (wide ? "rgb16" : "srgb") : wide ? "grey16" : "b-w";
    const raw = { width, height, channels };
    const pixels = sharp(this.#samples, { raw, limitInputPixels: false }).toColourspace(space);
    const carrying = await withCarried(pixels, space, carried);
    const described =
      description === undefined ? carrying : carrying.withExif({ IFD0: { ImageDescription: description } });
    const bytes = await inFormat(described, this.#format, quality).toBuffer();
    return { bytes, notes: whatIsLost(this.#photo, this.#transparent, this.#format, this.#limits) };
  }
}

type ColourSpace = "rgb16" | "srgb" | "grey16" | "b-w";

/** sharp writes profile and EXIF only of a file that it reads: an uncompressed PNG is made to carry them. */
async function withCarried(pixels: Sharp, space: ColourSpace, carried: CarriedData): Promise<Sharp> {
  const { profile, exif, xmp, density } = carried;
  if (profile === undefined && exif === undefined && xmp === undefined && density === undefined) return pixels;
  const chunks = [profile && profileChunk(profile), exif && exifChunk(exif)].filter((chunk) => chunk !== undefined);
  const png = withPngChunks(await pixels.png({ compressionLevel: 0 }).toBuffer(), chunks);
  const sharp = await loadSharp();
  let image = sharp(png, { limitInputPixels: false }).toColourspace(space).keepIccProfile().keepExif();
  if (xmp !== undefined) image = image.withXmp(Buffer.from(xmp).toString("utf8"));
  if (density !== undefined) image = image.withDensity(density);
  return image;
}

function inFormat(image: Sharp, format: ImageFormat, quality: number): Sharp {
  switch (format) {
    case "png":
      return image.png();
    case "jpeg":
      // Colours at full resolution: an enlarged photo is looked at closely.
      return image.jpeg({ quality, chromaSubsampling: "4:4:4" });
    case "webp":
      return image.webp({ quality });
    case "tiff":
      return image.tiff({ compression: "lzw", predictor: "horizontal" });
    case "avif":
      return image.avif({ quality });
  }
}

/** How samples are interleaved: colours in the photo's own profile, then alpha. */
interface SampleLayout {
  /** 16 bits a sample. */
  readonly wide: boolean;
  readonly grey: boolean;
  readonly alpha: boolean;
  readonly channels: 1 | 2 | 3 | 4;
}

function sampleLayout(photo: PhotoTraits, limits: FormatLimits): SampleLayout {
  const grey = photo.grey === true && limits.grey;
  const alpha = limits.alpha && photo.alpha !== undefined;
  const channels = ((grey ? 1 : 3) + (alpha ? 1 : 0)) as SampleLayout["channels"];
  return { wide: photo.bits === 16 && limits.bits === 16, grey, alpha, channels };
}

/** @param data RGB @param first the pixel that the first one becomes */
function storeSamples(
  data: Float32Array,
  alpha: Float32Array | undefined,
  { wide, grey, channels, alpha: stored }: SampleLayout,
  samples: Uint8ClampedArray | Uint16Array,
  first: number,
): void {
  const white = wide ? 65535 : 255;
  const pixels = data.length / 3;
  for (let i = 0, from = 0, to = first * channels; i < pixels; i++, from += 3, to += channels) {
    if (grey) samples[to] = level((data[from]! + data[from + 1]! + data[from + 2]!) / 3, white);
    else {
      samples[to] = level(data[from]!, white);
      samples[to + 1] = level(data[from + 1]!, white);
      samples[to + 2] = level(data[from + 2]!, white);
    }
    if (stored) samples[to + channels - 1] = level(alpha![i]!, white);
  }
}

function level(value: number, white: number): number {
  const scaled = value * white + 0.5;
  return scaled > white ? white : scaled > 0 ? Math.floor(scaled) : 0;
}

function onWhite(photo: Photo, { data: alpha }: { readonly data: Float32Array }): Photo {
  return { ...photo, data: photo.data.map((value, i) => 1 - alpha[Math.floor(i / 3)]! * (1 - value)) };
}

function whatIsLost(
  { bits, grey, carried }: PhotoTraits,
  transparent: boolean,
  format: ImageFormat,
  limits: FormatLimits,
): string[] {
  const { title } = limits;
  const lost: string[] = [];
  if (!limits.alpha && transparent) lost.push(`transparent parts laid on white: ${title} has no transparency`);
  if (bits === 16 && limits.bits < 16) lost.push(`16 bits a channel rounded to 8: ${title} is written with no more`);
  if (grey === true && !limits.grey) lost.push(`grey written as three channels: ${title} has no single one`);
  if (carried?.exif !== undefined && format === "tiff") lost.push("EXIF data left out: they are not written to TIFF");
  if (carried?.density !== undefined && (format === "webp" || format === "avif")) {
    lost.push(`density of ${Math.round(carried.density)} pixels an inch left out: ${title} has none`);
  }
  return lost;
}
