/** What the kernels compute, in plain float64 loops over [n, h, w, c] and [3, 3, c, c] arrays. */
import { GROUP, groupsOf, type PatchShape, pixelsOf, taskStride } from "../plan/shapes.js";

export interface Volume {
  readonly shape: PatchShape;
  readonly channels: number;
  /** [n, h, w, channels] */
  readonly data: Float64Array;
}

export interface Filter {
  readonly inputs: number;
  readonly outputs: number;
  /** [3, 3, inputs, outputs] */
  readonly data: Float64Array;
}

/** Calls for each output pixel p, tap k and the input pixel that it sees. */
function forTaps({ patches, height, width }: PatchShape, each: (p: number, k: number, q: number) => void): void {
  for (let p = 0; p < patches * height * width; p++) {
    const [y, x] = [Math.floor(p / width) % height, p % width];
    for (let k = 0; k < 9; k++) {
      const [dy, dx] = [Math.floor(k / 3) - 1, (k % 3) - 1];
      if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width) continue;
      each(p, k, p + dy * width + dx);
    }
  }
}

/** x ⊛ filter. */
export function convolve({ shape, data }: Volume, { inputs, outputs, data: taps }: Filter): Volume {
  const sum = new Float64Array(pixelsOf(shape) * outputs);
  forTaps(shape, (p, k, q) => {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        sum[p * outputs + o]! += data[q * inputs + i]! * taps[(k * inputs + i) * outputs + o]!;
      }
    }
  });
  return { shape, channels: outputs, data: sum };
}

/** The gradient with respect to the input of x ⊛ filter. */
export function convolveBack({ shape, data }: Volume, { inputs, outputs, data: taps }: Filter): Volume {
  const sum = new Float64Array(pixelsOf(shape) * inputs);
  forTaps(shape, (p, k, q) => {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        sum[q * inputs + i]! += data[p * outputs + o]! * taps[(k * inputs + i) * outputs + o]!;
      }
    }
  });
  return { shape, channels: inputs, data: sum };
}

/** The gradient with respect to the filter of x ⊛ filter. */
export function filterGradient(x: Volume, dy: Volume): Filter {
  const [inputs, outputs] = [x.channels, dy.channels];
  const sum = new Float64Array(9 * inputs * outputs);
  forTaps(x.shape, (p, k, q) => {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        sum[(k * inputs + i) * outputs + o]! += x.data[q * inputs + i]! * dy.data[p * outputs + o]!;
      }
    }
  });
  return { inputs, outputs, data: sum };
}

/** Tasks' volumes as a buffer of the GPU: channels in padded groups, tasks at their stride. */
export function packVolumes(volumes: readonly Volume[]): Float32Array {
  const { shape, channels } = volumes[0]!;
  const groups = groupsOf(channels);
  const stride = GROUP * taskStride(shape, groups);
  const packed = new Float32Array(volumes.length * stride);
  volumes.forEach(({ data }, task) => {
    for (let p = 0; p < pixelsOf(shape); p++) {
      for (let c = 0; c < channels; c++) packed[task * stride + p * GROUP * groups + c] = data[p * channels + c]!;
    }
  });
  return packed;
}

/** The inverse of `packVolumes`. */
export function unpackVolumes(
  packed: Float32Array,
  tasks: number,
  shape: PatchShape,
  channels: number,
): Float64Array[] {
  const groups = groupsOf(channels);
  const stride = GROUP * taskStride(shape, groups);
  return Array.from({ length: tasks }, (_, task) => {
    const data = new Float64Array(pixelsOf(shape) * channels);
    for (let p = 0; p < pixelsOf(shape); p++) {
      for (let c = 0; c < channels; c++) data[p * channels + c] = packed[task * stride + p * GROUP * groups + c]!;
    }
    return data;
  });
}

/** A layer's padded parameters: [9, 4·inputGroups, 4·outputGroups], then the bias. */
export function packLayer({ inputs, outputs, data }: Filter, bias: Float64Array, stride: number): Float32Array {
  const packed = new Float32Array(stride);
  const [rows, row] = [GROUP * groupsOf(inputs), GROUP * groupsOf(outputs)];
  for (let i = 0; i < data.length; i++) packed[placeOf(i, inputs, outputs)] = data[i]!;
  packed.set(bias, 9 * rows * row);
  return packed;
}

/** Kernel and bias out of a layer's padded parameters. */
export function unpackLayer(packed: Float32Array, inputs: number, outputs: number) {
  const [rows, row] = [GROUP * groupsOf(inputs), GROUP * groupsOf(outputs)];
  const kernel = Float64Array.from({ length: 9 * inputs * outputs }, (_, i) => packed[placeOf(i, inputs, outputs)]!);
  return { kernel, bias: Float64Array.from(packed.subarray(9 * rows * row, 9 * rows * row + outputs)) };
}

function placeOf(i: number, inputs: number, outputs: number): number {
  const [k, input, output] = [Math.floor(i / (inputs * outputs)), Math.floor(i / outputs) % inputs, i % outputs];
  return (k * GROUP * groupsOf(inputs) + input) * GROUP * groupsOf(outputs) + output;
}

/** Floats of a layer's padded parameters, rounded up to what the layout rounds to. */
export function layerStride(inputs: number, outputs: number): number {
  return 64 * Math.ceil((9 * 16 * groupsOf(inputs) * groupsOf(outputs) + GROUP * groupsOf(outputs)) / 64);
}

/** Largest absolute difference, as a share of the largest expected value. */
export function worstError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Number.isNaN(actual[i]!) ? Infinity : Math.abs(actual[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference === 0 ? 0 : difference / largest;
}
