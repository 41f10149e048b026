import { largestDifference } from "@mzsr/testing/golden-image";
import { expect, test } from "vitest";
import { InputError } from "../errors.js";
import { centredKernel, centreOfMass } from "./centred-kernel.js";
import { checkedKernel } from "./checked-kernel.js";
import { gaussianKernel } from "./kernel.js";

/** A Gaussian of variance 2 whose centre is (x, y) pixels from the middle of its square. */
function shifted(size: number, x: number, y: number) {
  const middle = (size - 1) / 2;
  const data = Float64Array.from({ length: size * size }, (_, i) => {
    const [dx, dy] = [(i % size) - middle - x, Math.floor(i / size) - middle - y];
    return Math.exp(-0.25 * (dx * dx + dy * dy));
  });
  const sum = data.reduce((total, weight) => total + weight, 0);
  return { size, data: data.map((weight) => weight / sum) };
}

/** The middle `side` × `side` weights. */
function middleOf({ size, data }: { size: number; data: Float64Array }, side: number): number[] {
  const cut = (size - side) / 2;
  return Array.from({ length: side * side }, (_, i) => data[(Math.floor(i / side) + cut) * size + (i % side) + cut]!);
}

test.each([
  [21, 2, -3],
  [21, 0.5, 0.25],
  [21, -1.7, 1.2],
  [20, 0, 0],
  [20, 1.5, -2.5],
])("of a Gaussian of side %i, %f and %f off, the Gaussian of the middle is made", (size, x, y) => {
  const moved = centredKernel(shifted(size, x, y), "k");
  const offset = centreOfMass(moved);
  expect(Math.hypot(offset.x, offset.y)).toBeLessThan(1e-4);
  expect(moved.size % 2).toBe(1);
  const wanted = gaussianKernel({ lambda1: 2, lambda2: 2, theta: 0, size: 31 });
  expect(largestDifference(middleOf(moved, 9), middleOf(wanted, 9))).toBeLessThan(4e-3);
});

test("by whole pixels no weight changes", () => {
  const data = new Float64Array(25);
  data.set([0.25, 0.5, 0.25], 22);
  expect(centredKernel({ size: 5, data }, "k")).toEqual({
    size: 3,
    data: Float64Array.of(0, 0, 0, 0.25, 0.5, 0.25, 0, 0, 0),
  });
});

test("a kernel more than a pixel off gets a note with the offset, and is moved when told", () => {
  const { size, data } = shifted(21, 2, -3);
  expect(checkedKernel(data, size, size, "k").notes).toEqual([
    "kernel's centre of mass is 2.00 pixels to the right and 3.00 pixels above its middle; models learn from centred " +
      "kernels, so the result may lose quality; --center-kernel moves it into the middle",
  ]);
  const { kernel, notes } = checkedKernel(data, size, size, "k", { centre: true });
  expect(notes).toEqual([
    "kernel's centre of mass is 2.00 pixels to the right and 3.00 pixels above its middle; moved into the middle",
  ]);
  expect(Math.abs(centreOfMass(kernel).x)).toBeLessThan(1e-4);
  const near = shifted(21, 0.6, -0.6);
  expect(checkedKernel(near.data, size, size, "k").notes).toEqual([]);
});

test("an even side needs to be centred, having no middle weight", () => {
  const { size, data } = shifted(20, 0, 0);
  expect(() => checkedKernel(data, size, size, "k")).toThrow(/20×20 is not odd.*expected .*--center-kernel/);
  expect(checkedKernel(data, size, size, "k", { centre: true }).kernel.size % 2).toBe(1);
});

test("what would grow beyond the largest kernel, or weighs against itself, is refused", () => {
  const corners = new Float64Array(61 * 61);
  corners[0] = 0.9;
  corners[61 * 61 - 1] = 0.1;
  expect(() => centredKernel({ size: 61, data: corners }, "k")).toThrow(/k: kernel would be \d+×\d+.*at most 61/);
  const dipole = Float64Array.of(0, 0, 0, -999, 1, 999, 0, 0, 0);
  expect(() => centredKernel({ size: 3, data: dipole }, "k")).toThrow(InputError);
});
