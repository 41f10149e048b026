import type { Metadata } from "sharp";
import { readInputFile } from "../files/input-file.js";
import { colourConversion } from "../imaging/colour-profile.js";
import { uprightExif } from "../imaging/exif.js";
import { createImage } from "../imaging/image.js";
import {
  type DecodedImage,
  decodeImage,
  LARGEST_IMAGE_FILE_BYTES,
  namesSrgb,
  notesOnFile,
  READABLE_IMAGE,
} from "../imaging/image-file.js";
import { fillTransparent } from "./fill-transparent.js";
import type { CarriedData, Photo } from "./photo.js";

/** A photo from a file, and what the user should know of it. */
export interface LoadedPhoto extends Photo {
  /** One sentence for each thing of the file that the photo lacks. */
  readonly notes: readonly string[];
}

/**
 * Reads a photo with all that it carries: transparency, 16 bits, colour profile, EXIF, XMP, density. It is turned upright as its
 * EXIF says. Colours under transparent pixels, which nobody sees, are made of those around them.
 * @throws InputError as `readImage`
 */
export async function readPhoto(path: string): Promise<LoadedPhoto> {
  return readPhotoBytes(await readInputFile(path, READABLE_IMAGE, LARGEST_IMAGE_FILE_BYTES), path);
}

/**
 * As `readPhoto`, from the file's bytes.
 * @param where the photo's name, for errors
 */
export async function readPhotoBytes(bytes: Uint8Array, where: string): Promise<LoadedPhoto> {
  const decoded = await decodeImage(bytes, where);
  const { metadata, height, width, white } = decoded;
  const notes = notesOnFile(metadata, decoded.defect);
  const { colour, alpha } = planes(decoded);
  const stored = alpha === undefined ? colour : fillTransparent(colour, alpha);
  const image = metadata.icc === undefined ? stored : inSrgb(stored, metadata.icc, notes);
  return {
    ...createImage(height, width, 3, image.data),
    alpha,
    grey: metadata.channels < 3,
    bits: white > 255 ? 16 : 8,
    carried: carriedBy(metadata, notes),
    notes,
  };
}

/** Colours as RGB, and alpha where a pixel is not opaque, in [0, 1]. */
function planes({ samples, channels, white, height, width }: DecodedImage) {
  const pixels = height * width;
  const colour = createImage(height, width, 3);
  const [green, blue] = channels > 2 ? [1, 2] : [0, 0];
  for (let i = 0, at = 0; i < pixels; i++, at += channels) {
    colour.data[i * 3] = samples[at]! / white;
    colour.data[i * 3 + 1] = samples[at + green]! / white;
    colour.data[i * 3 + 2] = samples[at + blue]! / white;
  }
  if (channels % 2 === 1) return { colour, alpha: undefined };
  const alpha = createImage(height, width, 1);
  for (let i = 0; i < pixels; i++) alpha.data[i] = samples[i * channels + channels - 1]! / white;
  return { colour, alpha };
}

function inSrgb(stored: Photo, profile: Uint8Array, notes: string[]): Photo {
  if (namesSrgb(profile)) return stored;
  const conversion = colourConversion(profile);
  if (conversion !== undefined) return conversion.toSrgb(stored);
  notes.push("its colour profile cannot be computed with; colours are enlarged as stored, and the profile is kept");
  return stored;
}

function carriedBy({ icc, exif, xmp, iptc, density }: Metadata, notes: string[]): CarriedData {
  const upright = exif && uprightExif(exif);
  if (exif !== undefined && upright === undefined) notes.push("its EXIF data cannot be read and are left out");
  if (iptc !== undefined) notes.push("its IPTC data are left out");
  return {
    ...(icc === undefined ? {} : { profile: icc }),
    ...(upright === undefined ? {} : { exif: upright }),
    ...(xmp === undefined ? {} : { xmp }),
    ...(density === undefined ? {} : { density }),
  };
}
