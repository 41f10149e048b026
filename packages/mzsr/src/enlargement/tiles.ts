/**
 * Overlapping tiles of an enlarged photo. A 3×3 layer sees one pixel further in every direction, so a pixel of the result depends on
 * `depth` pixels around it: tiles that are read so much wider than they are written give the result of the whole image, with no seam.
 */
import { cropImage, type Image } from "../imaging/image.js";
import { type ImagePiece, imresizeSource, imresizeWindow, type Size, type Window } from "../imaging/resize.js";

/** Tiles start at multiples of this, so that the fast convolutions cut them as they cut the whole image. */
const TILE_ALIGNMENT = 4;

/** A tile, in pixels of the result. */
export interface Tile {
  /** What is computed of it. */
  readonly written: Window;
  /** What that depends on. */
  readonly read: Window;
}

/** Tiles of about equal size that cover the result, row by row. */
export function tileRows({ height, width }: Size, tileSide: number, depth: number): Tile[][] {
  const margin = roundUp(depth);
  const columns = spans(width, tileSide, margin);
  return spans(height, tileSide, margin).map((rows) =>
    columns.map((column) => ({
      written: windowOf(rows.from, rows.to, column.from, column.to),
      read: windowOf(rows.readFrom, rows.readTo, column.readFrom, column.readTo),
    })),
  );
}

/** What a tile's network input is made of. Plain data, so that it can go to another thread. */
export interface TileSource {
  readonly piece: ImagePiece;
  readonly scale: number;
  readonly tile: Tile;
}

export function tileSource(photo: Image, scale: number, tile: Tile): TileSource {
  const { top, left, height, width } = imresizeSource(photo, scale, tile.read);
  const whole = { height: photo.height, width: photo.width };
  return { piece: { image: cropImage(photo, top, left, height, width), top, left, whole }, scale, tile };
}

/** The network's input for a tile: the same window of the whole photo's interpolation, to the bit. */
export function tileInput({ piece, scale, tile }: TileSource): Image {
  return imresizeWindow(piece, scale, tile.read);
}

/** The part of what is computed for a tile that is kept. */
export function writtenPart(computed: Image, { written, read }: Tile): Image {
  return cropImage(computed, written.top - read.top, written.left - read.left, written.height, written.width);
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly readFrom: number;
  readonly readTo: number;
}

/** Spans of about equal length that cover [0, length). */
function spans(length: number, tileSide: number, margin: number): Span[] {
  const step = roundUp(length / Math.ceil(length / tileSide));
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => {
    const from = i * step;
    const to = Math.min(from + step, length);
    return { from, to, readFrom: Math.max(0, from - margin), readTo: Math.min(length, to + margin) };
  });
}

function windowOf(top: number, bottom: number, left: number, right: number): Window {
  return { top, left, height: bottom - top, width: right - left };
}

function roundUp(length: number): number {
  return Math.ceil(length / TILE_ALIGNMENT) * TILE_ALIGNMENT;
}
