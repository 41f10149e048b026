/** Where a kernel's weight lies, and the kernel moved so that it lies in the middle. */
import { InputError } from "../errors.js";
import { type BlurKernel, LARGEST_KERNEL } from "./kernel.js";

/** Weights as a file holds them: a square of any side, row by row. */
interface Square {
  readonly size: number;
  readonly data: Float64Array;
}

/** Pixels from a kernel's middle to its centre of mass. */
export interface KernelOffset {
  /** To the right. */
  readonly x: number;
  /** Downwards. */
  readonly y: number;
}

/** An outer ring of this part of the weights is cut off: the interpolation leaves traces around what was zero. */
const NEGLIGIBLE = 1e-6;
/** How far the cubic interpolation sees. */
const REACH = 2;

/** Of weights that sum to 1. The middle of an even side lies between two weights. */
export function centreOfMass({ size, data }: Square): KernelOffset {
  const middle = (size - 1) / 2;
  let x = 0;
  let y = 0;
  data.forEach((weight, i) => {
    x += weight * ((i % size) - middle);
    y += weight * (Math.floor(i / size) - middle);
  });
  return { x, y };
}

/**
 * The kernel moved so that its centre of mass is the middle weight, as `kernel_shift` of the public code of KernelGAN and
 * USRNet does, by cubic convolution: it keeps the sum, and the variance as it was. By whole pixels no weight changes. The
 * side may grow, and is odd.
 *
 * @param kernel weights that sum to 1; of an even side too
 * @throws InputError when what is to be kept of it does not fit into the largest kernel
 */
export function centredKernel(kernel: Square, where: string): BlurKernel {
  const { size, data } = kernel;
  const offset = centreOfMass(kernel);
  const middle = (size - 1) / 2;
  const radius = Math.ceil(middle + Math.max(Math.abs(offset.x), Math.abs(offset.y))) + REACH;
  if (!(radius <= LARGEST_KERNEL)) {
    throw new InputError("kernel has its centre of mass outside itself", { where, expected: "weights above 0" });
  }
  const side = 2 * radius + 1;
  const moved = new Float64Array(side * side);
  for (let i = 0; i < moved.length; i++) {
    const x = (i % side) - radius + offset.x + middle;
    const y = Math.floor(i / side) - radius + offset.y + middle;
    moved[i] = interpolated(data, size, x, y);
  }
  return trimmed({ size: side, data: moved }, where);
}

/** Cubic convolution (Keys 1981) of weights that are zero outside their square. */
function interpolated(data: Float64Array, size: number, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  let sum = 0;
  for (let row = Math.max(0, top - 1); row <= Math.min(size - 1, top + REACH); row++) {
    for (let column = Math.max(0, left - 1); column <= Math.min(size - 1, left + REACH); column++) {
      sum += data[row * size + column]! * keys(x - column) * keys(y - row);
    }
  }
  return sum;
}

function keys(distance: number): number {
  const d = Math.abs(distance);
  if (d >= 2) return 0;
  return d <= 1 ? (1.5 * d - 2.5) * d * d + 1 : ((-0.5 * d + 2.5) * d - 4) * d + 2;
}

/** Without outer rings that hardly weigh anything; scaled to sum 1 again. */
function trimmed({ size, data }: Square, where: string): BlurKernel {
  let cut = 0;
  for (let lost = ringWeight(size, data, 0); lost <= NEGLIGIBLE && cut < (size - 1) / 2; ) {
    cut++;
    lost += ringWeight(size, data, cut);
  }
  const side = size - 2 * cut;
  if (side > LARGEST_KERNEL) {
    throw new InputError(`kernel would be ${side}×${side} with its centre of mass in the middle`, {
      where,
      expected: `at most ${LARGEST_KERNEL} a side`,
    });
  }
  const kept = Float64Array.from({ length: side * side }, (_, i) => {
    return data[(Math.floor(i / side) + cut) * size + (i % side) + cut]!;
  });
  const sum = kept.reduce((total, weight) => total + weight, 0);
  return { size: side, data: kept.map((weight) => weight / sum) };
}

/** Magnitude of the weights on the square ring `ring` steps from the border. */
function ringWeight(size: number, data: Float64Array, ring: number): number {
  const last = size - 1 - ring;
  return data.reduce((total, weight, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    const inside = x >= ring && x <= last && y >= ring && y <= last;
    const onRing = inside && (x === ring || x === last || y === ring || y === last);
    return onRing ? total + Math.abs(weight) : total;
  }, 0);
}
