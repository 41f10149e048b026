/**
 * What a meta-gradient's computation consists of, decided once from shapes alone: the layout of parameters, how pixels
 * are split, which buffers there are and how large.
 */
import { type Architecture, InputError, parameterLayout } from "@mzsr/mzsr";
import { convTile } from "../kernels/conv-tile.js";
import { filterGradientTiles } from "../kernels/filter-gradient.js";
import { type PaddedLayout, paddedLayout } from "./padded-layout.js";
import {
  ALIGNED_FLOATS,
  FLOAT_BYTES,
  GROUP_BYTES,
  groupsOf,
  type PatchShape,
  pixelsOf,
  requireCounts,
  roundUp,
  taskStride,
} from "./shapes.js";

/** The tasks that an engine computes: all have these shapes. Parameters, rates, weights and images are data. */
export interface TaskShape {
  readonly architecture: Architecture;
  readonly support: PatchShape;
  readonly query: PatchShape;
  /** T ≥ 1 */
  readonly innerSteps: number;
  readonly order: 1 | 2;
  /** Whether the inner rates' logarithms follow the network in θ, and their gradients in the result. */
  readonly learnedRates: boolean;
  /** Costs one pass forward. Default true. */
  readonly reportInitialQueryLoss?: boolean;
}

export type SetName = "support" | "query";

/** How much memory the computation may use: more keeps more, less computes again or in more parts. Same bits. */
export interface MemoryUse {
  /** K: tasks of a batch, at most. */
  readonly tasks: number;
  /** Inner steps, from the last one back, whose activations stay for the walk back. */
  readonly keptSteps: number;
  /** Query passes, one for each θ_j, that are computed at once. */
  readonly queriesAtOnce: number;
}

/** Everything that follows from a task's shape. */
export interface MetaPlan {
  readonly shape: TaskShape;
  readonly layout: PaddedLayout;
  /** Floats of the network in the flat layout. */
  readonly networkFloats: number;
  /** Tensors of the network: 2 · depth. */
  readonly tensors: number;
  /** Groups of channels of a hidden layer. */
  readonly hiddenGroups: number;
  /** Floats in a task's row of settings for one step: α of each tensor, the scales of support and query. */
  readonly rowFloats: number;
  /** First θ_j whose query loss is computed: 0 or 1. */
  readonly firstQuery: 0 | 1;
  readonly sets: Readonly<Record<SetName, SetPlan>>;
}

export interface SetPlan {
  readonly shape: PatchShape;
  /** Parts that the pixels of a task are split into when gradients of kernels are summed. */
  readonly splits: number;
  /** Workgroups of the last layer, each of which gives a partial sum of the loss. */
  readonly lossPartials: number;
  /** Groups from one task to the next: of images, of hidden layers. */
  readonly imageStride: number;
  readonly hiddenStride: number;
}

/** @throws InputError when a shape is not one of whole numbers from 1, or the depth is below 2 */
export function metaPlan(shape: TaskShape): MetaPlan {
  const { architecture, innerSteps, support, query } = shape;
  requireCounts({ width: architecture.width, innerSteps });
  if (!Number.isInteger(architecture.depth) || architecture.depth < 2) {
    throw new InputError(`a network of depth ${architecture.depth}`, { expected: "a whole number from 2" });
  }
  for (const set of [support, query]) requireCounts({ ...set });
  const layout = paddedLayout(architecture);
  const tensors = 2 * architecture.depth;
  return {
    shape,
    layout,
    networkFloats: parameterLayout(architecture).size,
    tensors,
    hiddenGroups: groupsOf(architecture.width),
    rowFloats: roundUp(tensors + 2, ALIGNED_FLOATS),
    firstQuery: shape.reportInitialQueryLoss === false ? 1 : 0,
    sets: { support: setPlan(architecture, layout, support), query: setPlan(architecture, layout, query) },
  };
}

/** More parts than this would only be more to add up. */
const LARGEST_SPLITS = 64;
/** Tiles that a workgroup should have to sum, at least. */
const TILES_A_SPLIT = 4;
/** Partial sums may take this share of the memory of activations. */
const PARTIALS_SHARE = 1 / 2;

function setPlan({ depth, width }: Architecture, layout: PaddedLayout, shape: PatchShape): SetPlan {
  const groups = groupsOf(width);
  const tiles = filterGradientTiles(shape, groups, groups);
  const activations = pixelsOf(shape) * 4 * groups * 2 * (depth - 1);
  const affordable = (PARTIALS_SHARE * activations) / layout.stride;
  const splits = Math.floor(Math.min(tiles / TILES_A_SPLIT, affordable, LARGEST_SPLITS));
  return {
    shape,
    splits: Math.max(1, splits),
    lossPartials: shape.patches * convTile(1, shape).tiles,
    imageStride: taskStride(shape, 1),
    hiddenStride: taskStride(shape, groups),
  };
}

/** Floats from one task's partial sums of a loss to the next's. */
export function lossStride({ lossPartials }: SetPlan): number {
  return roundUp(lossPartials, ALIGNED_FLOATS);
}

/** Where results lie in the buffer that is read back, in floats. */
export interface ResultLayout {
  /** [K][networkFloats] */
  readonly gradient: number;
  /** [T][K] */
  readonly supportLosses: number;
  /** [T + 1][K] */
  readonly queryLosses: number;
  /** [T][K][productStride] */
  readonly products: number;
  readonly productStride: number;
  readonly size: number;
}

export function resultLayout({ shape, networkFloats, tensors }: MetaPlan, tasks: number): ResultLayout {
  const aligned = (floats: number) => roundUp(floats, ALIGNED_FLOATS);
  const supportLosses = aligned(tasks * networkFloats);
  const queryLosses = supportLosses + aligned(shape.innerSteps * tasks);
  const products = queryLosses + aligned((shape.innerSteps + 1) * tasks);
  const productStride = aligned(tensors);
  const size = products + (shape.learnedRates ? shape.innerSteps * tasks * productStride : 0);
  return { gradient: 0, supportLosses, queryLosses, products, productStride, size };
}

/** The buffers of a plan and their sizes in bytes. */
export function regionsOf(plan: MetaPlan, use: MemoryUse): ReadonlyMap<string, number> {
  const { shape, layout, networkFloats, rowFloats, tensors } = plan;
  const { tasks, keptSteps, queriesAtOnce } = use;
  const steps = shape.innerSteps;
  const parameters = tasks * layout.stride * FLOAT_BYTES;
  const regions = new Map<string, number>([
    ["uploaded theta", tasks * networkFloats * FLOAT_BYTES],
    ["rows", (steps + 1) * tasks * rowFloats * FLOAT_BYTES],
    ["batch", GROUP_BYTES],
    ["flat of padded", layout.stride * FLOAT_BYTES],
    ["padded of flat", networkFloats * FLOAT_BYTES],
    ["tensor of group", (layout.stride / 4) * FLOAT_BYTES],
    ["theta", (steps + 1) * parameters],
    ["query gradients", steps * parameters],
    ["v0", parameters],
    ["v1", parameters],
    ["result", resultLayout(plan, tasks).size * FLOAT_BYTES],
  ]);
  if (shape.order === 2) regions.set("direction", parameters);
  if (shape.learnedRates) {
    regions.set("support gradients", steps * parameters);
    regions.set("groups of tensor", 2 * tensors * FLOAT_BYTES);
  }
  for (const set of ["support", "query"] as const) {
    const { shape: patches, imageStride } = plan.sets[set];
    for (const image of ["x", "y"]) {
      regions.set(`uploaded ${set} ${image}`, tasks * pixelsOf(patches) * 3 * FLOAT_BYTES);
      regions.set(`${set} ${image}`, tasks * imageStride * GROUP_BYTES);
    }
    const lossSteps = set === "support" ? steps : steps + 1;
    regions.set(`${set} losses`, lossSteps * tasks * lossStride(plan.sets[set]) * FLOAT_BYTES);
  }
  const { support, query } = plan.sets;
  for (let tape = 0; tape < keptSteps; tape++) {
    addWalk(regions, plan, `tape${tape}`, tasks * support.hiddenStride, tasks * support.imageStride);
  }
  const tangents = shape.order === 2 ? tasks * support.hiddenStride : 0;
  const queryTasks = tasks * queriesAtOnce;
  addWalk(regions, plan, "walk", Math.max(queryTasks * query.hiddenStride, tangents), queryTasks * query.imageStride);
  const splits = Math.max(tasks * support.splits, queryTasks * query.splits);
  regions.set("partials", splits * layout.stride * FLOAT_BYTES);
  return regions;
}

/** Activations, gradients with respect to them, and the gradient with respect to the output of one walk. */
function addWalk(regions: Map<string, number>, plan: MetaPlan, name: string, hidden: number, image: number): void {
  for (let layer = 1; layer < plan.shape.architecture.depth; layer++) {
    regions.set(`${name} activation${layer}`, hidden * GROUP_BYTES);
    regions.set(`${name} delta${layer}`, hidden * GROUP_BYTES);
  }
  regions.set(`${name} last`, image * GROUP_BYTES);
}
