/**
 * An image: rows of pixels of channels (HWC), nominally in [0, 1]. Images read from files have three channels, RGB.
 * Nothing changes an image in place; every function returns a new one.
 */
export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** height · width · channels values; element (y, x, c) is at (y · width + x) · channels + c. */
  readonly data: Float32Array;
}

/** How many flips and rotations `transformImage` knows. */
export const DIHEDRAL_TRANSFORMS = 8;

/**
 * An image of the given shape; zeros, unless `data` (not copied) is given.
 * @throws RangeError when the shape is not made of positive integers or `data` has another length
 */
export function createImage(
  height: number,
  width: number,
  channels: number,
  data: Float32Array = new Float32Array(height * width * channels),
): Image {
  for (const size of [height, width, channels]) {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`no image has shape [${height}, ${width}, ${channels}]`);
  }
  if (data.length !== height * width * channels) {
    throw new RangeError(`${data.length} values do not make an image of shape [${height}, ${width}, ${channels}]`);
  }
  return { height, width, channels, data };
}

/**
 * The window of `height` × `width` pixels whose upper left corner is (y, x).
 * @throws RangeError when it does not lie inside the image
 */
export function cropImage(image: Image, y: number, x: number, height: number, width: number): Image {
  if (!(y >= 0 && x >= 0 && y + height <= image.height && x + width <= image.width)) {
    throw new RangeError(
      `window ${height}×${width} at (${y}, ${x}) leaves the image of ${image.height}×${image.width}`,
    );
  }
  const result = createImage(height, width, image.channels);
  const rowLength = width * image.channels;
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * image.width + x) * image.channels;
    result.data.set(image.data.subarray(start, start + rowLength), row * rowLength);
  }
  return result;
}

/** The image without the last rows and columns that keep its sides from being multiples of `scale`. */
export function modCrop(image: Image, scale: number): Image {
  return cropImage(image, 0, 0, image.height - (image.height % scale), image.width - (image.width % scale));
}

/**
 * One of the eight flips and rotations of a square. Bit 2 of `dihedral` mirrors left and right first; bits 0 and 1
 * then count quarter turns counter-clockwise. 0 is the identity.
 * @throws RangeError for another number than 0 … 7
 */
export function transformImage(image: Image, dihedral: number): Image {
  if (!Number.isInteger(dihedral) || dihedral < 0 || dihedral >= DIHEDRAL_TRANSFORMS) {
    throw new RangeError(`dihedral transform ${dihedral} is not one of 0 … 7`);
  }
  const { origin, rowStep, columnStep, height, width } = sourceWalk(image, dihedral & 3, (dihedral & 4) !== 0);
  const { channels } = image;
  const result = createImage(height, width, channels);
  let target = 0;
  for (let y = 0; y < height; y++) {
    let source = (origin + y * rowStep) * channels;
    for (let x = 0; x < width; x++, source += columnStep * channels) {
      for (let c = 0; c < channels; c++) result.data[target++] = image.data[source + c]!;
    }
  }
  return result;
}

/** Where the transformed image's first pixel lies in the source, and how far a step down or right goes there, in pixels. */
function sourceWalk(image: Image, quarterTurns: number, mirrored: boolean) {
  const { height: h, width: w } = image;
  // The mirrored source as a walk of its own: its column x is the source's column w − 1 − x.
  const right = mirrored ? -1 : 1;
  const corner = (y: number, x: number) => y * w + (mirrored ? w - 1 - x : x);
  switch (quarterTurns) {
    case 0:
      return { origin: corner(0, 0), rowStep: w, columnStep: right, height: h, width: w };
    case 1:
      return { origin: corner(0, w - 1), rowStep: -right, columnStep: w, height: w, width: h };
    case 2:
      return { origin: corner(h - 1, w - 1), rowStep: -w, columnStep: -right, height: h, width: w };
    default:
      return { origin: corner(h - 1, 0), rowStep: right, columnStep: -w, height: w, width: h };
  }
}

/** The nearest 8-bit values, 0 … 255; what lies outside [0, 1] is clipped, and NaN becomes 0. */
export function toBytes(image: Image): Uint8Array {
  const { data } = image;
  // Clamped arrays round and clip on assignment.
  const bytes = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) bytes[i] = data[i]! * 255;
  return new Uint8Array(bytes.buffer);
}
