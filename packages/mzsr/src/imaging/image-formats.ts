/** The formats that results are written in, and what they can hold. */
import { extname } from "node:path";

export type ImageFormat = "png" | "jpeg" | "webp" | "tiff" | "avif";

export interface FormatLimits {
  /** As people write it. */
  readonly title: string;
  readonly extensions: readonly string[];
  /** In pixels. */
  readonly longestSide: number;
  readonly alpha: boolean;
  /** One channel instead of three equal ones. */
  readonly grey: boolean;
  /** Most bits a channel. */
  readonly bits: 8 | 16;
  /** Whether `quality` means something. */
  readonly lossy: boolean;
}

export const IMAGE_FORMATS: Readonly<Record<ImageFormat, FormatLimits>> = {
  png: format("PNG", [".png"], 2 ** 31 - 1, { bits: 16 }),
  jpeg: format("JPEG", [".jpg", ".jpeg"], 65_500, { alpha: false, lossy: true }),
  webp: format("WebP", [".webp"], 16_383, { grey: false, lossy: true }),
  tiff: format("TIFF", [".tif", ".tiff"], 2 ** 31 - 1, { bits: 16 }),
  avif: format("AVIF", [".avif"], 16_384, { grey: false, lossy: true }),
};

/** Of the files that can be written, with their dots. */
export const OUTPUT_EXTENSIONS: readonly string[] = Object.values(IMAGE_FORMATS).flatMap(
  ({ extensions }) => extensions,
);

/** The format that a file's name says; undefined where it says none of these. */
export function imageFormatOf(path: string): ImageFormat | undefined {
  const extension = extname(path).toLowerCase();
  const formats = Object.keys(IMAGE_FORMATS) as ImageFormat[];
  return formats.find((name) => IMAGE_FORMATS[name].extensions.includes(extension));
}

function format(
  title: string,
  extensions: readonly string[],
  longestSide: number,
  { alpha = true, grey = true, bits = 8, lossy = false }: Partial<FormatLimits>,
): FormatLimits {
  return { title, extensions, longestSide, alpha, grey, bits, lossy };
}
