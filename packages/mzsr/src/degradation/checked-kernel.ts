/** Kernels from outside: checked, scaled, and moved into their middle where that is asked for. */
import { InputError } from "../errors.js";
import { centredKernel, centreOfMass, type KernelOffset } from "./centred-kernel.js";
import { type BlurKernel, checkSize, LARGEST_KERNEL, scaledToSumOne } from "./kernel.js";

/** Farther from the middle, in pixels, a centre of mass is worth a note: two photos no longer lie on one another. */
const FARTHEST_CENTRE = 1;
/** Nearer to the middle nothing is worth a word, in pixels. */
const HARDLY_ANY = 0.005;
const OFFSET_ADVICE =
  "models learn from centred kernels, so the result may lose quality; --center-kernel moves it into the middle";

/** A kernel checked and normalised, and what was done to it. */
export interface CheckedKernel {
  readonly kernel: BlurKernel;
  /** One sentence for each change worth telling. */
  readonly notes: readonly string[];
}

export interface KernelTreatment {
  /** Moves the centre of mass into the middle; then the side may be even too. */
  readonly centre?: boolean | undefined;
}

/**
 * Makes a kernel of weights from outside, which are copied. One whose centre of mass is more than a pixel from its middle
 * weight gets a note.
 * @param weights [rows, columns], row by row
 * @param where what to call its source in an error
 * @throws InputError when it is not square, of even or too large a side, not finite, or its sum is not positive
 */
export function checkedKernel(
  weights: ArrayLike<number>,
  rows: number,
  columns: number,
  where: string,
  { centre = false }: KernelTreatment = {},
): CheckedKernel {
  checkKernelShape(rows, columns, where, { centre });
  const data = Float64Array.from(weights);
  const sum = finiteSum(data, columns, where);
  const magnitude = data.reduce((total, weight) => total + Math.abs(weight), 0);
  if (Math.abs(sum) <= 1e-9 * magnitude) {
    throw new InputError("kernel sums to zero", { where, expected: "weights with a positive sum" });
  }
  if (sum < 0) throw new InputError(`kernel sums to ${sum}`, { where, expected: "weights with a positive sum" });
  const notes: string[] = [];
  if (Math.abs(sum - 1) > 1e-5) notes.push(`kernel summed to ${Number(sum.toPrecision(6))}; scaled to sum 1`);
  const kernel = { size: rows, data: scaledToSumOne(data) };
  const offset = centreOfMass(kernel);
  const distance = Math.hypot(offset.x, offset.y);
  if (!centre) {
    if (distance > FARTHEST_CENTRE) notes.push(`${describeOffset(offset)}; ${OFFSET_ADVICE}`);
    return { kernel, notes };
  }
  if (distance > HARDLY_ANY) notes.push(`${describeOffset(offset)}; moved into the middle`);
  return { kernel: centredKernel(kernel, where), notes };
}

/**
 * What a kernel's sides must be, before its weights are looked at.
 * @throws InputError when it is not square, or of even (unless it is going to be centred) or too large a side
 */
export function checkKernelShape(
  rows: number,
  columns: number,
  where: string,
  { centre = false }: KernelTreatment = {},
): void {
  const expected = `a square kernel of odd side up to ${LARGEST_KERNEL}`;
  if (rows !== columns) throw new InputError(`kernel of ${rows}×${columns} is not square`, { where, expected });
  const even = rows % 2 === 0 && rows > 0 && rows < LARGEST_KERNEL;
  if (!even) checkSize(rows, where);
  else if (!centre) {
    throw new InputError(`kernel of ${rows}×${rows} is not odd`, {
      where,
      expected: `an odd side up to ${LARGEST_KERNEL}, or --center-kernel`,
    });
  }
}

function describeOffset({ x, y }: KernelOffset): string {
  const pixels = (value: number) => `${Math.abs(value).toFixed(2)} pixels`;
  const side = x < 0 ? "left" : "right";
  return `kernel's centre of mass is ${pixels(x)} to the ${side} and ${pixels(y)} ${y < 0 ? "above" : "below"} its middle`;
}

function finiteSum(data: Float64Array, columns: number, where: string): number {
  const bad = data.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0) {
    const place = `row ${Math.floor(bad / columns)}, column ${bad % columns}`;
    throw new InputError(`kernel has ${data[bad]} at ${place}`, { where, expected: "finite weights" });
  }
  const sum = data.reduce((total, weight) => total + weight, 0);
  if (!Number.isFinite(sum)) throw new InputError("kernel's sum overflows", { where, expected: "weights near 1" });
  return sum;
}
