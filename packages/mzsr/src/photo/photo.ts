/** A photo: its colours, and what else its file carries. */
import type { Image } from "../imaging/image.js";

/**
 * An RGB image in sRGB with what belongs to it. Where a file's profile says other colours than sRGB they were converted: values
 * then also lie outside [0, 1], where sRGB has no such colour. A plain image is a photo that carries nothing.
 */
export interface Photo extends Image {
  /** [h, w, 1], from 0 (transparent) to 1; the colours are not multiplied by it. */
  readonly alpha?: Image | undefined;
  /** Whether the file has one channel for the colours; the image has three equal ones. */
  readonly grey?: boolean | undefined;
  /** Of a channel in the file. */
  readonly bits?: 8 | 16 | undefined;
  readonly carried?: CarriedData | undefined;
}

/** What of a file goes into the next one as it is. */
export interface CarriedData {
  /** ICC profile. */
  readonly profile?: Uint8Array;
  /** A TIFF structure, without the `Exif` mark that JPEG puts before it; turned upright. */
  readonly exif?: Uint8Array;
  readonly xmp?: Uint8Array;
  /** Pixels an inch. */
  readonly density?: number;
}
