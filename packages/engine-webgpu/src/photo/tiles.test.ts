import fc from "fast-check";
import { expect, it } from "vitest";
import { tilesOf } from "./tiles.js";

const side = fc.integer({ min: 1, max: 60 });

it("covers an image once, each pixel read with its margin or up to the image's border", () => {
  fc.assert(
    fc.property(
      side,
      side,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 6 }),
      (height, width, tile, margin) => {
        const { side: size, rows } = tilesOf({ height, width }, tile, margin);
        const times = new Uint8Array(height * width);
        for (const { written, read } of rows.flat()) {
          const [bottom, right] = [written.top + written.height, written.left + written.width];
          expect(read).toMatchObject(size);
          expect([written.height, written.width].every((length) => length >= 1 && length <= tile)).toBe(true);
          expect(read.top >= 0 && read.top + read.height <= height).toBe(true);
          expect(read.left >= 0 && read.left + read.width <= width).toBe(true);
          expect(read.top <= Math.max(0, written.top - margin)).toBe(true);
          expect(read.left <= Math.max(0, written.left - margin)).toBe(true);
          expect(read.top + read.height >= Math.min(height, bottom + margin)).toBe(true);
          expect(read.left + read.width >= Math.min(width, right + margin)).toBe(true);
          for (let row = written.top; row < bottom; row++) {
            for (let at = written.left; at < right; at++) times[row * width + at]!++;
          }
        }
        expect(times.every((count) => count === 1)).toBe(true);
        for (const row of rows) expect(new Set(row.map(({ written }) => written.top)).size).toBe(1);
      },
    ),
    { numRuns: 30 },
  );
});
