/** A part of an image: what is written, and where the wider part that is read for it begins. Pixels. */
export interface Tile {
  readonly y: number;
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export interface Tiles {
  /** Of what is read: the same for all, so that one plan serves them. */
  readonly side: { readonly height: number; readonly width: number };
  readonly tiles: readonly Tile[];
}

/**
 * Cuts an image into tiles of at most `tileSide` pixels a side, each read with `margin` more on every side. A tile at
 * the image's border is read from a window that is moved inside, so it has more than the margin on its other side.
 */
export function tilesOf(image: { height: number; width: number }, tileSide: number, margin: number): Tiles {
  const rows = spansOf(image.height, tileSide, margin);
  const columns = spansOf(image.width, tileSide, margin);
  const tiles = rows.spans.flatMap((row) =>
    columns.spans.map((column) => ({
      ...{ y: row.read, top: row.from, bottom: row.to },
      ...{ x: column.read, left: column.from, right: column.to },
    })),
  );
  return { side: { height: rows.read, width: columns.read }, tiles };
}

function spansOf(length: number, tileSide: number, margin: number) {
  const step = Math.ceil(length / Math.ceil(length / tileSide));
  const read = Math.min(length, step + 2 * margin);
  const spans = Array.from({ length: Math.ceil(length / step) }, (_, i) => {
    const from = i * step;
    const to = Math.min(from + step, length);
    return { from, to, read: Math.max(0, Math.min(from - margin, length - read)) };
  });
  return { read, spans };
}
