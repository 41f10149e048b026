import type { Size, Tile } from "@mzsr/mzsr";

export interface Tiles {
  /** Of what is read: the same for all, so that one plan serves them. */
  readonly side: Size;
  /** Row by row. */
  readonly rows: readonly (readonly Tile[])[];
}

/**
 * Cuts an image into tiles of at most `tileSide` pixels a side, each read with `margin` more on every side. A tile at
 * the image's border is read from a window that is moved inside, so it has more than the margin on its other side.
 */
export function tilesOf(image: Size, tileSide: number, margin: number): Tiles {
  const down = spansOf(image.height, tileSide, margin);
  const across = spansOf(image.width, tileSide, margin);
  const side = { height: down.read, width: across.read };
  const rows = down.spans.map((row) =>
    across.spans.map((column) => ({
      written: { top: row.from, left: column.from, height: row.to - row.from, width: column.to - column.from },
      read: { top: row.readFrom, left: column.readFrom, ...side },
    })),
  );
  return { side, rows };
}

function spansOf(length: number, tileSide: number, margin: number) {
  const step = Math.ceil(length / Math.ceil(length / tileSide));
  const read = Math.min(length, step + 2 * margin);
  const spans = Array.from({ length: Math.ceil(length / step) }, (_, i) => {
    const from = i * step;
    const to = Math.min(from + step, length);
    return { from, to, readFrom: Math.max(0, Math.min(from - margin, length - read)) };
  });
  return { read, spans };
}
