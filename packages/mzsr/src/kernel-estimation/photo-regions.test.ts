import { expect, it } from "vitest";
import { createImage, type Image } from "../imaging/image.js";
import { Draws } from "../random/draws.js";
import { photoRegions } from "./photo-regions.js";

/** One channel, from what is at (y, x). */
function plane(height: number, width: number, valueAt: (y: number, x: number) => number): Image {
  const image = createImage(height, width, 1);
  image.data.forEach((_, i) => {
    image.data[i] = valueAt(Math.floor(i / width), i % width);
  });
  return image;
}

const sizes = (photo: Image) => Array.from(photoRegions(photo), ({ height, width }) => [height, width]);
const draws = new Draws(3, [0, 0, 0]);
const grain = () => draws.uniform(0, 1);

it("are nine halves of a photo with structure all over, in either direction", () => {
  expect(sizes(plane(100, 132, grain))).toEqual(Array.from({ length: 9 }, () => [50, 66]));
});

it("leave out what is flat, and stripes, which show blur across them alone", () => {
  const top = (of: (y: number, x: number) => number) => plane(100, 100, (y, x) => (y < 50 ? of(y, x) : grain()));
  expect(sizes(top(() => 0.5))).toHaveLength(6);
  expect(sizes(top((_, x) => 0.3 * (Math.floor(x / 2) % 2)))).toHaveLength(6);
  expect(sizes(plane(100, 100, () => 0.5))).toEqual([]);
});

it("are none where halves would be too small", () => {
  expect(sizes(plane(95, 300, grain))).toEqual([]);
  expect(sizes(plane(96, 300, grain))).toHaveLength(9);
});

it("of a large photo are the squares with the most structure", () => {
  const photo = plane(1200, 600, (y, x) => (y >= 300 && y < 556 && x < 256 ? grain() : 0.5 + 0.2 * grain()));
  const [first, ...others] = photoRegions(photo);
  for (const { height, width } of [first!, ...others]) expect([height, width]).toEqual([256, 256]);
  const deviation = first!.data.reduce((sum, value) => sum + Math.abs(value - 0.5), 0) / first!.data.length;
  expect(deviation).toBeGreaterThan(0.2);
});
