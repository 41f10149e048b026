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

const DEFAULT_QUALITY = 90;

/** Values are clipped to what the file can hold and rounded. The photo's sides must be within the format's. */
export async function encodePhoto(
  photo: Photo,
  format: ImageFormat,
  { quality = DEFAULT_QUALITY, description }: EncodingOptions = {},
): Promise<EncodedPhoto> {
  const limits = IMAGE_FORMATS[format];
  const samples = storedSamples(photo, limits);
  const sharp = await loadSharp();
  const { data, wide, channels } = samples;
  const raw = { width: photo.width, height: photo.height, channels };
  // Without a target space sharp would make three channels of one, and 8 bits of 16.
  const space = channels > 2 ? (wide ? "rgb16" : "srgb") : wide ? "grey16" : "b-w";
  const pixels = sharp(data, { raw, limitInputPixels: false }).toColourspace(space);
  const carrying = await withCarried(pixels, space, photo.carried ?? {});
  const described =
    description === undefined ? carrying : carrying.withExif({ IFD0: { ImageDescription: description } });
  const bytes = await inFormat(described, format, quality).toBuffer();
  return { bytes, notes: whatIsLost(photo, format, limits) };
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

/** Interleaved samples: colours in the photo's own profile, then alpha. */
function storedSamples(photo: Photo, limits: FormatLimits) {
  const wide = photo.bits === 16 && limits.bits === 16;
  const grey = photo.grey === true && limits.grey;
  const alpha = limits.alpha ? photo.alpha : undefined;
  const { data } = limits.alpha || photo.alpha === undefined ? asStored(photo) : onWhite(asStored(photo), photo.alpha);
  const colours = grey ? 1 : 3;
  const channels = (colours + (alpha === undefined ? 0 : 1)) as 1 | 2 | 3 | 4;
  const pixels = photo.height * photo.width;
  const white = wide ? 65535 : 255;
  const samples = wide ? new Uint16Array(pixels * channels) : new Uint8ClampedArray(pixels * channels);
  const level = (value: number) => Math.round(Math.min(1, Math.max(0, value)) * white);
  for (let i = 0; i < pixels; i++) {
    const [to, from] = [i * channels, i * 3];
    if (grey) samples[to] = level((data[from]! + data[from + 1]! + data[from + 2]!) / 3);
    else for (let c = 0; c < 3; c++) samples[to + c] = level(data[from + c]!);
    if (alpha !== undefined) samples[to + colours] = level(alpha.data[i]!);
  }
  return { data: samples, wide, channels };
}

function asStored(photo: Photo): Photo {
  const profile = photo.carried?.profile;
  const conversion = profile === undefined || namesSrgb(profile) ? undefined : colourConversion(profile);
  return conversion === undefined ? photo : { ...photo, ...conversion.fromSrgb(photo) };
}

function onWhite(photo: Photo, { data: alpha }: { readonly data: Float32Array }): Photo {
  return { ...photo, data: photo.data.map((value, i) => 1 - alpha[Math.floor(i / 3)]! * (1 - value)) };
}

function whatIsLost({ alpha, bits, grey, carried }: Photo, format: ImageFormat, limits: FormatLimits): string[] {
  const { title } = limits;
  const lost: string[] = [];
  if (!limits.alpha && alpha?.data.some((value) => value < 1))
    lost.push(`transparent parts laid on white: ${title} has no transparency`);
  if (bits === 16 && limits.bits < 16) lost.push(`16 bits a channel rounded to 8: ${title} is written with no more`);
  if (grey === true && !limits.grey) lost.push(`grey written as three channels: ${title} has no single one`);
  if (carried?.exif !== undefined && format === "tiff") lost.push("EXIF data left out: they are not written to TIFF");
  if (carried?.density !== undefined && (format === "webp" || format === "avif")) {
    lost.push(`density of ${Math.round(carried.density)} pixels an inch left out: ${title} has none`);
  }
  return lost;
}
