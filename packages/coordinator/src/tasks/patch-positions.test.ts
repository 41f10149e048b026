import fc from "fast-check";
import { expect, it } from "vitest";
import { PatchPositions } from "./patch-positions.js";

it("lists the patches of all images in order, whatever images have none", () => {
  const corner = fc.record({ y: fc.nat(5000), x: fc.nat(5000) });
  fc.assert(
    fc.property(fc.array(fc.array(corner, { maxLength: 4 }), { maxLength: 12 }), (images) => {
      const positions = new PatchPositions();
      for (const corners of images) positions.add(corners);
      const listed = Array.from({ length: positions.count }, (_, i) => positions.at(i));
      expect(listed).toEqual(images.flatMap((corners, image) => corners.map((each) => ({ image, ...each }))));
    }),
  );
});

it("has nothing outside its list", () => {
  const positions = new PatchPositions();
  expect(() => positions.at(0)).toThrow(/no patch 0 among 0/);
});
