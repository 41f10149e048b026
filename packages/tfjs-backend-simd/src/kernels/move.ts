// Operations that move elements without computing. All are strided copies: an axis has a size, and a step in the input
// and in the output; a step of 0 repeats, a negative one mirrors.

import * as tf from "@tensorflow/tfjs-core";
import type { SimdBackend } from "../backend.js";
import { register, requireType, sizeOf } from "./kernel.js";

interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Copies elements along `axes`, starting at element `fromStart` of x and `toStart` of out. */
function copy(
  backend: SimdBackend,
  x: tf.TensorInfo,
  out: tf.TensorInfo,
  axes: readonly Axis[],
  fromStart: number,
  toStart: number,
): void {
  const joined = joinAxes(axes);
  if (joined.some(({ size }) => size === 0)) return;
  copyJoined(backend, backend.address(x), backend.address(out), x.dtype === "bool" ? 1 : 4, joined, fromStart, toStart);
}

function copyJoined(
  backend: SimdBackend,
  x: number,
  out: number,
  bytes: number,
  axes: readonly Axis[],
  fromStart: number,
  toStart: number,
): void {
  if (axes.length > 4) {
    const [{ size, from, to }, ...rest] = axes as [Axis, ...Axis[]];
    for (let i = 0; i < size; i++) copyJoined(backend, x, out, bytes, rest, fromStart + i * from, toStart + i * to);
    return;
  }
  const [a, b, c, d] = [...new Array<Axis>(4 - axes.length).fill({ size: 1, from: 0, to: 0 }), ...axes] as FourAxes;
  backend.kernels.copyStrided(
    x + fromStart * bytes,
    out + toStart * bytes,
    bytes,
    a.size,
    b.size,
    c.size,
    d.size,
    a.from,
    b.from,
    c.from,
    d.from,
    a.to,
    b.to,
    c.to,
    d.to,
  );
}

type FourAxes = [Axis, Axis, Axis, Axis];

/** Leaves out axes of one element and joins axes that are walked as one; the last stays for whole runs. */
function joinAxes(axes: readonly Axis[]): Axis[] {
  const joined: Axis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const outer = joined.at(-1);
    if (outer !== undefined && outer.from === axis.from * axis.size && outer.to === axis.to * axis.size) {
      joined[joined.length - 1] = { ...axis, size: outer.size * axis.size };
    } else {
      joined.push(axis);
    }
  }
  return joined.length === 0 ? [{ size: 1, from: 1, to: 1 }] : joined;
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** A copy of the tensor with its axes permuted. */
export function transposed(backend: SimdBackend, x: tf.TensorInfo, permutation: readonly number[]): tf.TensorInfo {
  const shape = permutation.map((axis) => x.shape[axis]!);
  const out = backend.makeOutput(shape, x.dtype);
  const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
  const axes = permutation.map((axis, i) => ({ size: shape[i]!, from: from[axis]!, to: to[i]! }));
  copy(backend, x, out, axes, 0, 0);
  return out;
}

function concatenate(inputs: tf.TensorInfo[], { axis }: tf.ConcatAttrs, backend: SimdBackend): tf.TensorInfo {
  const first = inputs[0]!;
  const along = tf.util.parseAxisParam(axis, first.shape)[0]!;
  const shapes = inputs.map(({ shape }) => shape);
  tf.backend_util.assertParamsConsistent(shapes, along);
  for (const input of inputs) requireType(tf.Concat, input, first.dtype);
  const shape = tf.backend_util.computeOutShape(shapes, along);
  const out = backend.makeOutput(shape, first.dtype);
  const step = stridesOf(shape)[along]!;
  const outer = tf.util.sizeFromShape(shape.slice(0, along));
  let start = 0;
  for (const input of inputs) {
    const run = input.shape[along]! * step;
    const axes = [
      { size: outer, from: run, to: shape[along]! * step },
      { size: run, from: 1, to: 1 },
    ];
    copy(backend, input, out, axes, 0, start);
    start += run;
  }
  return out;
}

function pack(inputs: tf.TensorInfo[], { axis }: tf.PackAttrs, backend: SimdBackend): tf.TensorInfo {
  const along = axis < 0 ? axis + inputs[0]!.shape.length + 1 : axis;
  const parts = inputs.map((input) => {
    tf.util.assertShapesMatch(inputs[0]!.shape, input.shape, "simd backend: Pack: shapes differ: ");
    return { ...input, shape: [...input.shape.slice(0, along), 1, ...input.shape.slice(along)] };
  });
  return concatenate(parts, { axis: along }, backend);
}

function unpack({ value }: tf.UnpackInputs, { axis }: tf.UnpackAttrs, backend: SimdBackend): tf.TensorInfo[] {
  const x = value!;
  const along = tf.util.parseAxisParam(axis, x.shape)[0]!;
  const shape = x.shape.filter((_, i) => i !== along);
  return Array.from({ length: x.shape[along]! }, (_, i) => {
    const begin = x.shape.map((_, axis) => (axis === along ? i : 0));
    const size = x.shape.map((size, axis) => (axis === along ? 1 : size));
    return { ...sliced(backend, x, begin, size), shape };
  });
}

function sliced(backend: SimdBackend, x: tf.TensorInfo, begin: number[], size: number[]): tf.TensorInfo {
  const out = backend.makeOutput(size, x.dtype);
  const [from, to] = [stridesOf(x.shape), stridesOf(size)];
  const axes = size.map((length, i) => ({ size: length, from: from[i]!, to: to[i]! }));
  const start = begin.reduce((sum, value, i) => sum + value * from[i]!, 0);
  copy(backend, x, out, axes, start, 0);
  return out;
}

function slice({ x }: tf.SliceInputs, { begin, size }: tf.SliceAttrs, backend: SimdBackend): tf.TensorInfo {
  const [starts, sizes] = tf.slice_util.parseSliceParams(x!, begin, size) as [number[], number[]];
  tf.slice_util.assertParamsValid(x!, starts, sizes);
  return sliced(backend, x!, starts, sizes);
}

function padded(
  { x }: tf.PadV2Inputs,
  { paddings, constantValue }: tf.PadV2Attrs,
  backend: SimdBackend,
): tf.TensorInfo {
  requireType(tf.PadV2, x!, "float32");
  const shape = paddings.map(([before, after], i) => before + x!.shape[i]! + after);
  const out = filled(backend, shape, constantValue);
  const [from, to] = [stridesOf(x!.shape), stridesOf(shape)];
  const axes = x!.shape.map((size, i) => ({ size, from: from[i]!, to: to[i]! }));
  const start = paddings.reduce((sum, [before], i) => sum + before * to[i]!, 0);
  copy(backend, x!, out, axes, 0, start);
  return out;
}

/** A run along one axis of a mirrored output: from `start` of the output, reading the input from `origin` on. */
interface Segment {
  readonly start: number;
  readonly size: number;
  readonly origin: number;
  readonly step: 1 | -1;
}

function mirrored(
  { x }: tf.MirrorPadInputs,
  { paddings, mode }: tf.MirrorPadAttrs,
  backend: SimdBackend,
): tf.TensorInfo {
  const shape = paddings.map(([before, after], i) => before + x!.shape[i]! + after);
  const out = backend.makeOutput(shape, x!.dtype);
  const [from, to] = [stridesOf(x!.shape), stridesOf(shape)];
  const skip = mode === "reflect" ? 1 : 0;
  let choices: Segment[][] = [[]];
  for (const [axis, [before, after]] of paddings.entries()) {
    const size = x!.shape[axis]!;
    const segments: Segment[] = [
      { start: 0, size: before, origin: before - 1 + skip, step: -1 },
      { start: before, size, origin: 0, step: 1 },
      { start: before + size, size: after, origin: size - 1 - skip, step: -1 },
    ];
    choices = choices.flatMap((chosen) => segments.filter(({ size }) => size > 0).map((next) => [...chosen, next]));
  }
  for (const segments of choices) {
    const axes = segments.map(({ size, step }, i) => ({ size, from: step * from[i]!, to: to[i]! }));
    const fromStart = segments.reduce((sum, { origin }, i) => sum + origin * from[i]!, 0);
    const toStart = segments.reduce((sum, { start }, i) => sum + start * to[i]!, 0);
    copy(backend, x!, out, axes, fromStart, toStart);
  }
  return out;
}

function tiled({ x }: tf.TileInputs, { reps }: tf.TileAttrs, backend: SimdBackend): tf.TensorInfo {
  const shape = x!.shape.map((size, i) => size * reps[i]!);
  const out = backend.makeOutput(shape, x!.dtype);
  const [from, to] = [stridesOf(x!.shape), stridesOf(shape)];
  const axes = x!.shape.flatMap((size, i) => [
    { size: reps[i]!, from: 0, to: size * to[i]! },
    { size, from: from[i]!, to: to[i]! },
  ]);
  copy(backend, x!, out, axes, 0, 0);
  return out;
}

function broadcast({ x }: tf.BroadcastToInputs, { shape }: tf.BroadCastToAttrs, backend: SimdBackend): tf.TensorInfo {
  tf.backend_util.assertAndGetBroadcastShape(x!.shape, shape);
  const out = backend.makeOutput(shape, x!.dtype);
  const from = stridesOf(x!.shape);
  const missing = shape.length - x!.shape.length;
  const to = stridesOf(shape);
  const axes = shape.map((size, i) => {
    const repeats = i < missing || x!.shape[i - missing] === 1;
    return { size, from: repeats ? 0 : from[i - missing]!, to: to[i]! };
  });
  copy(backend, x!, out, axes, 0, 0);
  return out;
}

function filled(backend: SimdBackend, shape: number[], value: number): tf.TensorInfo {
  const out = backend.makeOutput(shape, "float32");
  backend.kernels.fill(backend.address(out), sizeOf(out), value);
  return out;
}

function constant(backend: SimdBackend, shape: number[], value: number, dtype: tf.DataType): tf.TensorInfo {
  if (dtype === "float32") return filled(backend, shape, value);
  const Values = dtype === "bool" ? Uint8Array : Int32Array;
  const values = new Values(tf.util.sizeFromShape(shape)).fill(value);
  return { dataId: backend.write(values, shape, dtype), shape, dtype };
}

/** Registers transpose, concatenation, slices, padding, repetition and constants. */
export function registerMoveKernels(): void {
  register<tf.TransposeInputs, tf.TransposeAttrs>(tf.Transpose, ({ x }, { perm }, backend) =>
    transposed(backend, x!, perm),
  );
  register(tf.Concat, concatenate);
  register(tf.Pack, pack);
  register(tf.Unpack, unpack);
  register(tf.Slice, slice);
  register(tf.PadV2, padded);
  register(tf.MirrorPad, mirrored);
  register(tf.Tile, tiled);
  register(tf.BroadcastTo, broadcast);
  register<unknown, tf.FillAttrs>(tf.Fill, (_, { shape, value, dtype }, backend) =>
    constant(backend, shape, Number(value), dtype ?? tf.util.inferDtype(value)),
  );
  register<tf.ZerosLikeInputs, unknown>(tf.ZerosLike, ({ x }, _, backend) => constant(backend, x!.shape, 0, x!.dtype));
  register<tf.OnesLikeInputs, unknown>(tf.OnesLike, ({ x }, _, backend) => constant(backend, x!.shape, 1, x!.dtype));
}
