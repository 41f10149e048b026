/**
 * Where each tensor of a model lies in the one flat float32 array that travels, is summed and is stored.
 */

/** The network of the paper (§4.1): `depth` 3×3 convolutions with `width` channels between them. */
export interface Architecture {
  readonly depth: number;
  readonly width: number;
}

export interface LayoutEntry {
  /** `conv1/kernel`, `conv1/bias`, … or `inner_rate/0`, … */
  readonly name: string;
  /** HWIO for kernels, [channels] for biases, [tensors] for inner rates. */
  readonly shape: readonly number[];
  /** Of the first element, counted in elements. */
  readonly offset: number;
  readonly size: number;
}

export interface ParameterLayout {
  readonly entries: readonly LayoutEntry[];
  /** Elements in all entries together. */
  readonly size: number;
}

/** Colour channels of every image. */
export const CHANNELS = 3;

/** Side of every convolution kernel, in pixels. */
export const KERNEL_SIDE = 3;

/** The network's tensors: `conv1/kernel` [3, 3, 3, width], `conv1/bias` [width], …, `conv{depth}/bias` [3]. */
export function parameterLayout({ depth, width }: Architecture): ParameterLayout {
  const shapes: [string, number[]][] = [];
  for (let layer = 1; layer <= depth; layer++) {
    const inputs = layer === 1 ? CHANNELS : width;
    const outputs = layer === depth ? CHANNELS : width;
    shapes.push([`conv${layer}/kernel`, [KERNEL_SIDE, KERNEL_SIDE, inputs, outputs]]);
    shapes.push([`conv${layer}/bias`, [outputs]]);
  }
  return layoutOf(shapes);
}

/**
 * What meta-training trains: the network and, with learned rates, after it one entry `inner_rate/{j}` per inner step
 * with the logarithm of one rate per tensor of the network, in the network's order.
 */
export function metaLayout(architecture: Architecture, innerSteps: number, learnedRates: boolean): ParameterLayout {
  const network = parameterLayout(architecture);
  const shapes = network.entries.map(({ name, shape }): [string, readonly number[]] => [name, shape]);
  for (let step = 0; learnedRates && step < innerSteps; step++) {
    shapes.push([`inner_rate/${step}`, [network.entries.length]]);
  }
  return layoutOf(shapes);
}

function layoutOf(shapes: readonly (readonly [string, readonly number[]])[]): ParameterLayout {
  let size = 0;
  const entries = shapes.map(([name, shape]): LayoutEntry => {
    const entry = { name, shape, offset: size, size: shape.reduce((product, side) => product * side, 1) };
    size += entry.size;
    return entry;
  });
  return { entries, size };
}

/**
 * An array [a, b, c] as [c, b, a]: a kernel of HWIO as OIHW and back, its places taken as one axis.
 * @param data a·b·c numbers, the last axis the innermost
 */
export function axesReversed(data: ArrayLike<number>, [a, b, c]: readonly [number, number, number]): Float32Array {
  const turned = new Float32Array(data.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) turned[(k * b + j) * a + i] = data[(i * b + j) * c + k]!;
    }
  }
  return turned;
}
