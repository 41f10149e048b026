import type { ConvolutionName, EngineTask, TaskShape } from "@mzsr/engine-webgpu";
import { type Architecture, parameterLayout } from "@mzsr/mzsr";

export interface GpuCase {
  readonly name: string;
  readonly depth: number;
  readonly width: number;
  readonly patches: number;
  readonly side: number;
  readonly innerSteps: number;
}

/** A small task, and the paper's. */
export const CASES: readonly GpuCase[] = [
  { name: "small", depth: 5, width: 32, patches: 4, side: 48, innerSteps: 3 },
  { name: "paper", depth: 8, width: 64, patches: 8, side: 64, innerSteps: 5 },
];

/** Tasks of a batch, by how convolutions are computed. */
export const BATCHES: readonly (readonly [ConvolutionName, readonly number[]])[] = [
  ["direct", [1, 5, 8, 32]],
  ["winograd", [1, 8]],
];

export function shapeOf({ depth, width, patches, side, innerSteps }: GpuCase): TaskShape {
  const set = { patches, height: side, width: side };
  const architecture = { depth, width };
  // What training asks for: the query loss before adaptation is for the page and may be left out.
  const rest = { innerSteps, order: 2, learnedRates: false, reportInitialQueryLoss: false } as const;
  return { architecture, support: set, query: set, ...rest };
}

/** Tasks with images of their own that start from the same parameters, as those of a meta-step do. */
export function randomTasks(each: GpuCase, count: number): EngineTask[] {
  const theta = randomParameters(each);
  const stepWeights = new Array<number>(each.innerSteps).fill(1 / each.innerSteps);
  return Array.from({ length: count }, () => ({
    ...{ theta, innerRate: 1e-2, stepWeights },
    ...{ support: randomPairs(each), query: randomPairs(each) },
  }));
}

export function randomParameters(architecture: Architecture): Float32Array {
  const { entries, size } = parameterLayout(architecture);
  const theta = new Float32Array(size);
  for (const { name, shape, offset, size: count } of entries) {
    if (name.endsWith("/bias")) continue;
    const scale = Math.sqrt(6 / (9 * shape[2]!));
    for (let i = offset; i < offset + count; i++) theta[i] = scale * (2 * Math.random() - 1);
  }
  return theta;
}

function randomPairs({ patches, side }: GpuCase) {
  const image = () => Float32Array.from({ length: patches * side * side * 3 }, Math.random);
  return { shape: [patches, side, side, 3] as const, x: image(), y: image() };
}

/** Multiplications and additions of one task's meta-gradient, with all inner steps' activations kept. */
export function operationsOf({ depth, width, patches, side, innerSteps }: GpuCase): number {
  const pixels = patches * side * side;
  const ends = 2 * 9 * 3 * width;
  const middle = (depth - 2) * 9 * width * width;
  // Passes of a layer and inner step: 3 for the support gradient, 3 for the query's, 6 for the Hessian's product.
  return 2 * pixels * (ends + middle) * 12 * innerSteps;
}
