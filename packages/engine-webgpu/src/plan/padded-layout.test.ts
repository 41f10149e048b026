import { parameterLayout } from "@mzsr/mzsr";
import fc from "fast-check";
import { expect, it } from "vitest";
import { NOTHING, paddedLayout } from "./padded-layout.js";

const architectures = fc.record({ depth: fc.integer({ min: 2, max: 6 }), width: fc.integer({ min: 1, max: 13 }) });

it("has a place of its own for each parameter, and nothing elsewhere", () => {
  fc.assert(
    fc.property(architectures, (architecture) => {
      const { flatOf, paddedOf, stride } = paddedLayout(architecture);
      const { size } = parameterLayout(architecture);
      expect(paddedOf.map((padded) => flatOf[padded]!)).toEqual(Uint32Array.from({ length: size }, (_, flat) => flat));
      expect(flatOf.filter((flat) => flat !== NOTHING)).toHaveLength(size);
      expect(flatOf).toHaveLength(stride);
    }),
    { numRuns: 20 },
  );
});

it("starts layers where bindings may start, and keeps the taps' order within padded rows", () => {
  const { layers, stride, flatOf } = paddedLayout({ depth: 3, width: 5 });
  expect(layers.map(({ offset }) => offset % 64)).toEqual([0, 0, 0]);
  expect(stride % 64).toBe(0);
  // conv1/kernel [3, 3, 3, 5] in rows of 8: the second row is input channel 1, the fifth the next tap's channel 0.
  expect([...flatOf.subarray(8, 14)]).toEqual([5, 6, 7, 8, 9, NOTHING]);
  expect(flatOf[24]).toBe(NOTHING);
  expect(flatOf[32]).toBe(15);
});

it("knows each group's tensor", () => {
  const { entries } = parameterLayout({ depth: 3, width: 5 });
  const { tensorOf, tensorGroups, paddedOf } = paddedLayout({ depth: 3, width: 5 });
  entries.forEach(({ offset, size }, tensor) => {
    for (let i = offset; i < offset + size; i++) expect(tensorOf[paddedOf[i]! >> 2]).toBe(tensor);
    const [first, count] = tensorGroups.subarray(2 * tensor, 2 * tensor + 2) as unknown as [number, number];
    expect(paddedOf[offset]! >> 2).toBe(first);
    expect(paddedOf[offset + size - 1]! >> 2).toBeLessThan(first + count);
  });
});
