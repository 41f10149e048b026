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
        const { side: read, tiles } = tilesOf({ height, width }, tile, margin);
        const written = new Uint8Array(height * width);
        for (const { y, x, top, left, bottom, right } of tiles) {
          expect([bottom - top, right - left].every((length) => length >= 1 && length <= tile)).toBe(true);
          expect(y >= 0 && y + read.height <= height && x >= 0 && x + read.width <= width).toBe(true);
          expect(y <= Math.max(0, top - margin) && x <= Math.max(0, left - margin)).toBe(true);
          expect(y + read.height >= Math.min(height, bottom + margin)).toBe(true);
          expect(x + read.width >= Math.min(width, right + margin)).toBe(true);
          for (let row = top; row < bottom; row++) for (let at = left; at < right; at++) written[row * width + at]!++;
        }
        expect(written.every((times) => times === 1)).toBe(true);
      },
    ),
    { numRuns: 30 },
  );
});
