import { type Architecture, parameterLayout } from "@mzsr/mzsr";
import { ALIGNED_FLOATS, GROUP, groupsOf, roundUp } from "./shapes.js";

/** Where one convolution's kernel and bias lie among the padded parameters of a task. */
export interface PaddedLayer {
  /** First float of the kernel [3, 3, 4·inputGroups, 4·outputGroups]; its bias [4·outputGroups] follows. */
  readonly offset: number;
  readonly inputGroups: number;
  readonly outputGroups: number;
}

/** No element of the flat layout lies there: a zero. */
export const NOTHING = 0xffff_ffff;

/** A task's parameters on the GPU: every layer starts at a multiple of 256 bytes, channels come in groups of four. */
export interface PaddedLayout {
  /** Layer l of the network at l − 1. */
  readonly layers: readonly PaddedLayer[];
  /** Floats from one task's parameters to the next task's. */
  readonly stride: number;
  /** For each padded float, its index in the flat layout, or `NOTHING`. */
  readonly flatOf: Uint32Array;
  /** For each float of the flat layout, its padded index. */
  readonly paddedOf: Uint32Array;
  /** For each group of four padded floats, the tensor it belongs to, in the flat layout's order. */
  readonly tensorOf: Uint32Array;
  /** For each tensor, its first group and how many it has. */
  readonly tensorGroups: Uint32Array;
}

export function paddedLayout(architecture: Architecture): PaddedLayout {
  const { entries, size } = parameterLayout(architecture);
  const layers: PaddedLayer[] = [];
  let stride = 0;
  for (let layer = 0; layer < architecture.depth; layer++) {
    const [inputs, outputs] = entries[2 * layer]!.shape.slice(2) as [number, number];
    const padded = { offset: stride, inputGroups: groupsOf(inputs), outputGroups: groupsOf(outputs) };
    layers.push(padded);
    stride = roundUp(stride + kernelFloats(padded) + GROUP * padded.outputGroups, ALIGNED_FLOATS);
  }
  const layout = {
    layers,
    stride,
    flatOf: new Uint32Array(stride).fill(NOTHING),
    paddedOf: new Uint32Array(size),
    tensorOf: new Uint32Array(stride / GROUP),
    tensorGroups: new Uint32Array(2 * entries.length),
  };
  entries.forEach((entry, tensor) => {
    placeTensor(layout, entry, tensor);
  });
  return layout;
}

/** Floats of a layer's padded kernel. */
export function kernelFloats({ inputGroups, outputGroups }: PaddedLayer): number {
  return 9 * GROUP * inputGroups * GROUP * outputGroups;
}

/** Fills in where one tensor's elements go: rows of output channels, each padded. */
function placeTensor(
  layout: PaddedLayout,
  entry: { readonly shape: readonly number[]; readonly offset: number; readonly size: number },
  tensor: number,
): void {
  const layer = layout.layers[tensor >> 1]!;
  const rowFloats = GROUP * layer.outputGroups;
  const isBias = tensor % 2 === 1;
  const start = layer.offset + (isBias ? kernelFloats(layer) : 0);
  const groups = (isBias ? rowFloats : kernelFloats(layer)) / GROUP;
  layout.tensorGroups.set([start / GROUP, groups], 2 * tensor);
  layout.tensorOf.fill(tensor, start / GROUP, start / GROUP + groups);
  const outputs = entry.shape.at(-1)!;
  const inputs = entry.shape.at(-2) ?? 1;
  for (let i = 0; i < entry.size; i++) {
    const row = Math.floor(i / outputs);
    const paddedRow = Math.floor(row / inputs) * GROUP * layer.inputGroups + (row % inputs);
    const at = start + paddedRow * rowFloats + (i % outputs);
    layout.flatOf[at] = entry.offset + i;
    layout.paddedOf[entry.offset + i] = at;
  }
}
