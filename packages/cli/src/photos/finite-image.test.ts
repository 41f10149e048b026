import { createImage, RunError } from "@mzsr/mzsr";
import { expect, it } from "vitest";
import { finiteImage } from "./finite-image.js";

it("is the image itself, unless a value of it is not finite", () => {
  const image = createImage(
    2,
    3,
    3,
    Float32Array.from({ length: 18 }, (_, i) => (i % 2 === 0 ? -1e38 : 3e38)),
  );
  expect(finiteImage(image, "cat.png")).toBe(image);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const at of [0, 7, 17]) {
      const data = image.data.slice();
      data[at] = value;
      expect(() => finiteImage({ ...image, data }, "cat.png")).toThrow(RunError);
    }
  }
});
