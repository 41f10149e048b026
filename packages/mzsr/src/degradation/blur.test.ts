import { largestDifference } from "@mzsr/testing/golden-image";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createImage, type Image } from "../imaging/image.js";
import { blur, blurEvery } from "./blur.js";
import { type BlurKernel, gaussianKernel } from "./kernel.js";

const levels = fc.float({ min: 0, max: 1, noNaN: true });

/** Images of up to 80 × 12 pixels (more rows than are computed in one go) and 1 to 4 channels. */
const images: fc.Arbitrary<Image> = fc
  .record({
    h: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 30, max: 80 })),
    w: fc.integer({ min: 1, max: 12 }),
    c: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ h, w, c }) =>
    fc
      .array(levels, { minLength: h * w * c, maxLength: h * w * c })
      .map((values) => createImage(h, w, c, Float32Array.from(values))),
  );

/** Kernels of any odd side up to 9, without symmetry. */
const kernels: fc.Arbitrary<BlurKernel> = fc.constantFrom(1, 3, 5, 9).chain((size) =>
  fc.array(levels, { minLength: size * size, maxLength: size * size }).map((values) => ({
    size,
    data: Float64Array.from(values, (value) => value / (size * size)),
  })),
);

/** The definition, one pixel at a time; the edge repeats the image mirrored, the edge pixel included. */
function correlation(image: Image, kernel: BlurKernel, y: number, x: number, c: number): number {
  const radius = (kernel.size - 1) / 2;
  let sum = 0;
  for (let dy = -radius; dy <= radius; dy++) {
    for (let dx = -radius; dx <= radius; dx++) {
      const weight = kernel.data[(dy + radius) * kernel.size + dx + radius]!;
      const row = bounced(y + dy, image.height);
      const column = bounced(x + dx, image.width);
      sum += weight * image.data[(row * image.width + column) * image.channels + c]!;
    }
  }
  return sum;
}

function bounced(position: number, length: number): number {
  if (position < 0) return bounced(-1 - position, length);
  return position < length ? position : bounced(2 * length - 1 - position, length);
}

test("blur is the correlation with the kernel to the bit, at every pixel, also where the kernel is larger than the image", () => {
  fc.assert(
    fc.property(images, kernels, (image, kernel) => {
      const result = blur(image, kernel);
      const expected = Float32Array.from(image.data, (_, i) => {
        const pixel = Math.floor(i / image.channels);
        const [y, x] = [Math.floor(pixel / image.width), pixel % image.width];
        return correlation(image, kernel, y, x, i % image.channels);
      });
      expect([result.height, result.width, result.channels]).toEqual([image.height, image.width, image.channels]);
      expect(result.data).toEqual(expected);
    }),
  );
});

test("computing every second to fourth pixel gives the same bits as computing all and keeping those", () => {
  fc.assert(
    fc.property(images, kernels, fc.integer({ min: 2, max: 4 }), (image, kernel, step) => {
      const whole = blur(image, kernel);
      const some = blurEvery(image, kernel, step);
      expect([some.height, some.width]).toEqual([Math.ceil(image.height / step), Math.ceil(image.width / step)]);
      const kept = some.data.map((_, i) => {
        const pixel = Math.floor(i / image.channels);
        const [y, x] = [Math.floor(pixel / some.width) * step, (pixel % some.width) * step];
        return whole.data[(y * image.width + x) * image.channels + (i % image.channels)]!;
      });
      expect(some.data).toEqual(kept);
    }),
  );
});

test("a constant image stays constant", () => {
  const variance = fc.double({ min: 0.01, max: 20, noNaN: true });
  fc.assert(
    fc.property(variance, variance, levels, (lambda1, lambda2, level) => {
      const image = createImage(9, 11, 3, new Float32Array(9 * 11 * 3).fill(level));
      const kernel = gaussianKernel({ lambda1, lambda2, theta: 0.4 });
      expect(largestDifference(blur(image, kernel).data, image.data)).toBeLessThan(1e-6);
    }),
  );
});
