/** What a convolution of the network is, however it is computed: its shapes, what it reads, and what becomes of its sums. */
import { GROUP, type PatchShape, taskStride } from "../plan/shapes.js";
import type { Binding } from "./kernel.js";

/** What becomes of the sum. */
export type ConvEnd =
  /** max(sum, 0): a layer's activation. */
  | { readonly kind: "relu" }
  /** The sum where `mask` (a ReLU's output) is positive, else 0. */
  | { readonly kind: "mask" }
  /** image + sum: the network's output. */
  | { readonly kind: "residual" }
  /** image + sum compared with target: scaled sign, and a partial sum of |difference| for each workgroup. */
  | { readonly kind: "loss"; readonly rowFloats: number; readonly scaleAt: number; readonly partialStride: number };

export interface ConvOptions {
  readonly shape: PatchShape;
  readonly inputGroups: number;
  readonly outputGroups: number;
  /** `source0`, and in dual kernels `source1`, each with its `weights0`, `weights1`. */
  readonly sources: 1 | 2;
  /** Kernels as they are, or flipped and transposed: the way back through a layer. */
  readonly direction: "forward" | "back";
  /** Which source's weights have the bias, if any is added. */
  readonly bias?: 0 | 1;
  /** The first source is an image, which all inner steps of a task share: task z reads image z mod K. */
  readonly readsImage: boolean;
  /** Floats from one task's parameters to the next's. */
  readonly parameterStride: number;
  readonly end: ConvEnd;
}

/**
 * Bindings: source0, weights0, [source1, weights1], [batch], then of the end: mask | image | image, goal, rows,
 * partials; last output. `weights` start at the layer's kernel; its bias follows.
 */
export function bindingsOf({ sources, readsImage, end }: ConvOptions): Binding[] {
  const read = (name: string, type = "array<vec4f>"): Binding => ({ name, type, access: "read" });
  const list: Binding[] = [read("source0"), read("weights0")];
  if (sources === 2) list.push(read("source1"), read("weights1"));
  if (readsImage || end.kind === "loss") list.push({ name: "batch", type: "vec4u", access: "uniform" });
  if (end.kind === "mask") list.push(read("mask"));
  if (end.kind === "residual") list.push(read("image"));
  if (end.kind === "loss") {
    list.push(read("image"), read("goal"), read("rows", "array<f32>"));
    list.push({ name: "partials", type: "array<f32>", access: "read_write" });
  }
  list.push({ name: "output", type: "array<vec4f>", access: "read_write" });
  return list;
}

/** WGSL: the layer's shapes and strides. */
export function constantsOf({ shape, inputGroups, outputGroups, parameterStride }: ConvOptions): string {
  return `
const HEIGHT = ${shape.height};
const WIDTH = ${shape.width};
const PATCHES = ${shape.patches}u;
const IN = ${inputGroups}u;
const OUT = ${outputGroups}u;
const IN_STRIDE = ${taskStride(shape, inputGroups)}u;
const OUT_STRIDE = ${taskStride(shape, outputGroups)}u;
const IMAGE_STRIDE = ${taskStride(shape, 1)}u;
const WEIGHT_STRIDE = ${parameterStride / GROUP}u;`;
}

/** WGSL: the pixel (ix, iy) of input group `chunk` of source s, 0 outside of the image. */
export function pixelOf({ readsImage }: ConvOptions, s: number): string {
  const sourceTask = s === 0 && readsImage ? "(task % batch.x)" : "task";
  return `source${s}[${sourceTask} * IN_STRIDE + (pictureBase + u32(iy * WIDTH + ix)) * IN + chunk]`;
}

/** WGSL: the bias of output group `out`. */
export function biasOf({ bias }: ConvOptions): string {
  return bias === undefined ? "vec4f()" : `weights${bias}[weightBase + 36u * IN * OUT + min(out, OUT - 1u)]`;
}

/** WGSL: a hidden layer's `value` at pixel `p` of output group `out` is written. */
export const STORE_HIDDEN = {
  relu: "output[task * OUT_STRIDE + p * OUT + out] = max(value, vec4f());",
  mask: `let o = task * OUT_STRIDE + p * OUT + out;
      output[o] = select(vec4f(), value, mask[o] > vec4f());`,
} as const;
