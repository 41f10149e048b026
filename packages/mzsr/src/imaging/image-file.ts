import { readdir } from "node:fs/promises";
import type { Metadata, Sharp } from "sharp";
import { InputError, messageOf, RunError } from "../errors.js";
import { writeFileAtomically } from "../files/atomic-file.js";
import { checkInputFile, readInputFile, reasonOf } from "../files/input-file.js";
import { createImage, type Image, toBytes } from "./image.js";

/** An RGB image from a file, and what was done to make it one. */
export interface LoadedImage extends Image {
  /** One sentence for each thing the user should know, such as a flattened alpha channel. */
  readonly notes: readonly string[];
}

/** Smallest side in pixels: less than a kernel's width teaches nothing and enlarges to nothing. */
export const SMALLEST_SIDE = 16;
/**
 * Most pixels of an image that is read. A photo of 64 megapixels (all of a 61-megapixel camera) takes a gigabyte as it is
 * decoded: up to 8 bytes a pixel as stored and 12 as float32 RGB. A file of a few kilobytes can claim any number.
 */
export const LARGEST_PIXELS = 64_000_000;

/** Of the file; 64 megapixels of 16 bits with alpha, uncompressed, are 512 MB. */
export const LARGEST_IMAGE_FILE_BYTES = 2 ** 29;

export const READABLE_IMAGE = "a PNG, JPEG, WebP or TIFF image";
/** Of the files that are read, with their dots. */
const EXTENSIONS = [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"];
const FORMATS = ["png", "jpeg", "webp", "tiff"];
/** libvips' names of the colour spaces that need no conversion but repeating grey. */
const COLOUR_SPACES = ["srgb", "rgb16", "b-w", "grey16"];

/**
 * Reads an image file as RGB in [0, 1]: 8 bits as /255, 16 bits as /65535, grey repeated, alpha laid on white, EXIF
 * orientation applied. Colour profiles are not applied: pixel values stay as stored, so that they are the same everywhere.
 * A file with a defect that costs no pixel is read, and a note tells of it.
 * @throws InputError when the file is missing, not such an image, corrupt, tiny or huge
 */
export async function readImage(path: string): Promise<LoadedImage> {
  return readImageBytes(await readInputFile(path, READABLE_IMAGE, LARGEST_IMAGE_FILE_BYTES), path);
}

/**
 * Looks at an image file's beginning only: whether `readImage` would take a file of this kind, size and colour space.
 * Says nothing about whether the rest is whole.
 * @returns height and width as stored
 * @throws InputError as `readImage`
 */
export async function readImageSize(path: string): Promise<{ readonly height: number; readonly width: number }> {
  await checkInputFile(path, READABLE_IMAGE, LARGEST_IMAGE_FILE_BYTES);
  const metadata = await checkedMetadata(path, path);
  return { height: metadata.height, width: metadata.width };
}

/**
 * As `readImage`, from the file's bytes.
 * @param where the image's name, for errors
 */
export async function readImageBytes(bytes: Uint8Array, where: string): Promise<LoadedImage> {
  const { metadata, height, width, channels, samples, white, defect } = await decodeImage(bytes, where);
  const { rgb, transparent } = toRgb(samples, channels, white);
  return { ...createImage(height, width, 3, rgb), notes: notesOn(metadata, transparent, defect) };
}

/** An image as its file has it, upright. */
export interface DecodedImage {
  readonly metadata: Metadata;
  readonly height: number;
  readonly width: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  readonly channels: number;
  /** height · width · channels, interleaved. */
  readonly samples: Uint8Array | Uint16Array;
  /** The largest value: 255 or 65535. */
  readonly white: number;
  /** That costs no pixel. */
  readonly defect: string | undefined;
}

/** Checks and decodes, applies no profile. @throws InputError as `readImageBytes` */
export async function decodeImage(bytes: Uint8Array, where: string): Promise<DecodedImage> {
  const metadata = await checkedMetadata(bytes, where);
  const wide = metadata.depth === "ushort";
  const { data, info, defect } = await decode(bytes, metadata, where);
  const samples = wide ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
  const { height, width, channels } = info;
  return { metadata, height, width, channels, samples, white: wide ? 65535 : 255, defect };
}

/**
 * How many pixels an image file has, from its header: what reading it costs, before that cost.
 * @throws InputError as `readImageBytes`, for what the header shows
 */
export async function countPixels(bytes: Uint8Array, where: string): Promise<number> {
  const { width, height } = await checkedMetadata(bytes, where);
  return width * height;
}

/** Sizes are checked here, with errors of our own, before a pixel is decoded. */
async function checkedMetadata(source: Uint8Array | string, where: string): Promise<Metadata> {
  if (source.length === 0) throw new InputError("is empty", { where, expected: READABLE_IMAGE });
  const image = await open(source, "error");
  const metadata = await image.metadata().catch((error: unknown) => {
    throw new InputError(`not a readable image (${firstLine(error)})`, { where, expected: READABLE_IMAGE });
  });
  checkMetadata(metadata, where);
  return metadata;
}

/** Loaded with the first image: threads that compute, and commands that read no image, do without its native library. */
export async function loadSharp() {
  return (await import("sharp")).default;
}

async function open(source: Uint8Array | string, failOn: "error" | "warning"): Promise<Sharp> {
  const sharp = await loadSharp();
  return sharp(source, { ignoreIcc: true, limitInputPixels: false, failOn });
}

/**
 * What libjpeg calls a warning although pixels are missing or wrong: an entropy-coded segment that ends early (a
 * truncated file that got its end marker back), or one that was damaged. Its other warnings concern headers.
 */
const PIXELS_LOST = /premature end|bad Huffman code|bad arithmetic code|instead of RST/;

/**
 * The samples as stored. Nothing is passed over at first; where the decoder has a warning that leaves every pixel as it
 * was meant, the file is decoded with only errors counting: truncated data is one of these.
 */
async function decode(bytes: Uint8Array, metadata: Metadata, where: string) {
  const pixels = async (failOn: "error" | "warning") => {
    const wide = metadata.depth === "ushort";
    // Without a target space sharp would reduce 16 bits to 8.
    const space = wide ? (metadata.channels > 2 ? "rgb16" : "grey16") : "srgb";
    const pipeline = (await open(bytes, failOn)).autoOrient().toColourspace(space);
    return pipeline.raw({ depth: wide ? "ushort" : "uchar" }).toBuffer({ resolveWithObject: true });
  };
  const corrupt = (error: unknown) =>
    new InputError(`corrupt image (${firstLine(error)})`, { where, expected: `a whole ${metadata.format} file` });
  try {
    return { ...(await pixels("warning")), defect: undefined };
  } catch (warning) {
    if (PIXELS_LOST.test(messageOf(warning))) throw corrupt(warning);
    const defect = firstLine(warning);
    const decoded = await pixels("error").catch((error: unknown) => {
      const others = messageOf(error).replaceAll(defect, "");
      throw corrupt(others.trim() === "" ? error : others);
    });
    return { ...decoded, defect };
  }
}

/** An RGB or grey image as an 8-bit PNG file; values are clipped to [0, 1] and rounded. */
export async function encodePng(image: Image): Promise<Buffer> {
  const { width, height, channels } = image;
  if (channels !== 1 && channels !== 3) throw new RangeError(`no PNG of ${channels} channels is written here`);
  const sharp = await loadSharp();
  return sharp(toBytes(image), { raw: { width, height, channels }, limitInputPixels: false }).png().toBuffer();
}

/**
 * Writes `encodePng` to a file. The file appears whole or not at all: it is written beside its place and renamed.
 * @throws InputError when the folder is missing or not writable, RunError when writing fails
 */
export async function writePng(path: string, image: Image): Promise<void> {
  const bytes = await encodePng(image);
  try {
    await writeFileAtomically(path, bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES" || code === "EISDIR") {
      throw new InputError(`cannot write: ${reasonOf(error)}`, {
        where: path,
        expected: "a file name in a writable folder",
      });
    }
    throw new RunError(`${path}: cannot write: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Names (without the folder) of the images in a folder, by extension, in the order of their code units.
 * @throws InputError when there is no such folder or no image in it
 */
export async function listImages(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch((error: unknown) => {
    throw new InputError(reasonOf(error), { where: folder, expected: "a folder with images" });
  });
  const names = entries.filter(isImageName).sort();
  if (names.length === 0) {
    throw new InputError("folder has no image", { where: folder, expected: `files named *${EXTENSIONS.join(", *")}` });
  }
  return names;
}

/** Whether a file of this name in a folder is taken for an image. */
export function isImageName(name: string): boolean {
  // Hidden files are leftovers of other programs (macOS writes "._photo.jpg"), not photographs.
  return !name.startsWith(".") && EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension));
}

function checkMetadata(metadata: Metadata, where: string): void {
  const { format, width, height, space, depth } = metadata;
  if (!FORMATS.includes(format)) throw new InputError(`is a ${format} image`, { where, expected: READABLE_IMAGE });
  if (Math.min(width, height) < SMALLEST_SIDE) {
    throw new InputError(`image of ${width}×${height} pixels is too small`, {
      where,
      expected: `at least ${SMALLEST_SIDE} pixels a side`,
    });
  }
  if (width * height > LARGEST_PIXELS) {
    throw new InputError(`image of ${width}×${height} pixels is too large`, {
      where,
      expected: `at most ${LARGEST_PIXELS / 1e6} megapixels`,
    });
  }
  if (!COLOUR_SPACES.includes(space) || (depth !== "uchar" && depth !== "ushort")) {
    throw new InputError(`image has ${space} pixels of type ${depth}`, {
      where,
      expected: "RGB or grey with 8 or 16 bits a channel",
    });
  }
}

/** Interleaved samples of 1 to 4 channels (grey, grey + alpha, RGB, RGB + alpha) as RGB in [0, 1], alpha on white. */
function toRgb(samples: Uint8Array | Uint16Array, channels: number, white: number) {
  const pixels = samples.length / channels;
  const rgb = new Float32Array(pixels * 3);
  const greenOffset = channels > 2 ? 1 : 0;
  const blueOffset = channels > 2 ? 2 : 0;
  const hasAlpha = channels % 2 === 0;
  let transparent = false;
  for (let i = 0; i < pixels; i++) {
    const at = i * channels;
    const alpha = hasAlpha ? samples[at + channels - 1]! / white : 1;
    transparent ||= alpha < 1;
    rgb[i * 3] = 1 - alpha + (alpha * samples[at]!) / white;
    rgb[i * 3 + 1] = 1 - alpha + (alpha * samples[at + greenOffset]!) / white;
    rgb[i * 3 + 2] = 1 - alpha + (alpha * samples[at + blueOffset]!) / white;
  }
  return { rgb, transparent };
}

/** What of a file does not reach the image, whoever reads it. */
export function notesOnFile(metadata: Metadata, defect: string | undefined): string[] {
  const notes: string[] = [];
  if (defect !== undefined) notes.push(`read in spite of a defect of the file (${defect})`);
  if ((metadata.pages ?? 1) > 1) notes.push(`only the first of ${metadata.pages} pages used`);
  return notes;
}

function notesOn(metadata: Metadata, transparent: boolean, defect: string | undefined): string[] {
  const notes = notesOnFile(metadata, defect);
  if (metadata.channels < 3) notes.push("grey image used as RGB");
  if (transparent) notes.push("transparent parts laid on white");
  if (metadata.depth === "ushort") notes.push("16 bits a channel read; results are written with 8");
  if ((metadata.orientation ?? 1) !== 1) notes.push("turned upright as its EXIF orientation says");
  if (metadata.icc !== undefined && !namesSrgb(metadata.icc)) notes.push("colour profile other than sRGB not applied");
  return notes;
}

/** Whether an ICC profile's description says sRGB, in ASCII or UTF-16. */
export function namesSrgb(profile: Uint8Array): boolean {
  return Buffer.from(profile).toString("latin1").replaceAll("\0", "").includes("sRGB");
}

/** libvips reports a cascade of lines; the first says what happened. */
function firstLine(error: unknown): string {
  return messageOf(error).trim().split("\n")[0]!;
}
