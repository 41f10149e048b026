import { createImage, type Image, toBytes } from "./image.js";

/**
 * What an RGB or grey image is after it was saved as JPEG and read again: 8 bits a value, colours at half the resolution.
 * @param quality 1 to 100, as of libjpeg
 */
export async function throughJpeg(image: Image, quality: number): Promise<Image> {
  const { width, height, channels } = image;
  if (channels !== 1 && channels !== 3) throw new RangeError(`no JPEG of ${channels} channels is written here`);
  // As in image-file.ts: whoever compresses nothing does without the native library.
  const sharp = (await import("sharp")).default;
  const file = await sharp(toBytes(image), { raw: { width, height, channels }, limitInputPixels: false })
    .jpeg({ quality })
    .toBuffer();
  const pixels = await sharp(file)
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .raw()
    .toBuffer();
  const values = Float32Array.from(pixels, (level) => level / 255);
  return createImage(height, width, channels, values);
}
