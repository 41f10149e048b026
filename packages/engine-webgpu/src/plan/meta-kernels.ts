/** The kernels of a plan, by the names that its commands call them. */
import type { ConvOptions } from "../kernels/conv-layer.js";
import { filterGradientKernel } from "../kernels/filter-gradient.js";
import { lossKernel, unpackKernel } from "../kernels/images.js";
import type { GridKernel } from "../kernels/kernel.js";
import {
  adjointKernel,
  descendKernel,
  innerProductsKernel,
  packKernel,
  spreadKernel,
  sumKernel,
} from "../kernels/parameters.js";
import { lossStride, type MetaPlan, resultLayout, type SetName } from "./meta-plan.js";
import { pixelsOf } from "./shapes.js";

/** Makes the kernel of a convolution. */
type Convolutions = (options: ConvOptions) => GridKernel;

export function metaKernels(plan: MetaPlan, convolution: Convolutions): ReadonlyMap<string, GridKernel> {
  const { shape, sets } = plan;
  const parameters = { stride: plan.layout.stride, rowFloats: plan.rowFloats };
  const kernels = new Map<string, GridKernel>([
    ["spread", spreadKernel(parameters)],
    ["pack", packKernel(parameters, plan.networkFloats)],
    ["descend", descendKernel(parameters, sets.support.splits, shape.learnedRates)],
    ["support sum", sumKernel(parameters, sets.support.splits)],
    ["query sum", sumKernel(parameters, sets.query.splits)],
    ["adjoint start", adjointKernel(parameters, { addsQuery: false, givesDirection: shape.order === 2 })],
  ]);
  const productSplits = shape.order === 2 ? { productSplits: sets.support.splits } : {};
  const middle = { ...productSplits, addsQuery: true, givesDirection: shape.order === 2 };
  kernels.set("adjoint", adjointKernel(parameters, middle));
  kernels.set("adjoint end", adjointKernel(parameters, { ...productSplits, addsQuery: false, givesDirection: false }));
  if (shape.learnedRates) {
    kernels.set("inner products", innerProductsKernel(parameters, plan.tensors, resultLayout(plan, 1).productStride));
  }
  for (const set of ["support", "query"] as const) addGradientKernels(kernels, plan, set, convolution);
  if (shape.order === 2) addProductKernels(kernels, plan, convolution);
  return kernels;
}

/** Loss and gradient over one set. */
function addGradientKernels(
  kernels: Map<string, GridKernel>,
  plan: MetaPlan,
  set: SetName,
  convolution: Convolutions,
): void {
  const { shape, splits, lossPartials } = plan.sets[set];
  const hidden = plan.hiddenGroups;
  const common = { shape, parameterStride: plan.layout.stride, sources: 1, readsImage: false } as const;
  const first = { ...common, inputGroups: 1, outputGroups: hidden, readsImage: true };
  const middle = { ...common, inputGroups: hidden, outputGroups: hidden };
  const last = { ...common, inputGroups: hidden, outputGroups: 1 };
  const relu = { bias: 0, end: { kind: "relu" }, direction: "forward" } as const;
  const mask = { end: { kind: "mask" }, direction: "back" } as const;
  const scaleAt = plan.tensors + (set === "support" ? 0 : 1);
  const partialStride = lossStride(plan.sets[set]);
  const loss = { kind: "loss", rowFloats: plan.rowFloats, scaleAt, partialStride } as const;
  kernels.set(`${set} unpack`, unpackKernel(shape));
  kernels.set(`${set} forward first`, convolution({ ...first, ...relu }));
  kernels.set(`${set} forward middle`, convolution({ ...middle, ...relu }));
  kernels.set(`${set} forward last`, convolution({ ...last, direction: "forward", bias: 0, end: loss }));
  kernels.set(`${set} output`, convolution({ ...last, direction: "forward", bias: 0, end: { kind: "residual" } }));
  kernels.set(`${set} back last`, convolution({ ...common, inputGroups: 1, outputGroups: hidden, ...mask }));
  kernels.set(`${set} back middle`, convolution({ ...middle, ...mask }));
  kernels.set(`${set} filters first`, filterGradientKernel({ ...first, splits, bias: 0 }));
  kernels.set(`${set} filters middle`, filterGradientKernel({ ...middle, splits, bias: 0 }));
  kernels.set(`${set} filters last`, filterGradientKernel({ ...last, splits, bias: 0 }));
  const total = { count: lossPartials, stride: partialStride, values: 3 * pixelsOf(shape) };
  kernels.set(`${set} loss`, { ...lossKernel(total), grid: [1, 1] });
}

/** The Hessian-vector product over the support set (Pearlmutter's R-operator). */
function addProductKernels(kernels: Map<string, GridKernel>, plan: MetaPlan, convolution: Convolutions): void {
  const { shape, splits } = plan.sets.support;
  const hidden = plan.hiddenGroups;
  const common = { shape, parameterStride: plan.layout.stride, readsImage: false } as const;
  const mask = { kind: "mask" } as const;
  const first = { ...common, inputGroups: 1, outputGroups: hidden, sources: 1, readsImage: true } as const;
  const middle = { ...common, inputGroups: hidden, outputGroups: hidden, sources: 2 } as const;
  const last = { ...common, inputGroups: hidden, outputGroups: 1, sources: 1 } as const;
  kernels.set("tangent first", convolution({ ...first, direction: "forward", bias: 0, end: mask }));
  kernels.set("tangent middle", convolution({ ...middle, direction: "forward", bias: 1, end: mask }));
  const fromLast = { ...common, inputGroups: 1, outputGroups: hidden, sources: 1 } as const;
  kernels.set("tangent back last", convolution({ ...fromLast, direction: "back", end: mask }));
  kernels.set("tangent back middle", convolution({ ...middle, direction: "back", end: mask }));
  kernels.set("product first", filterGradientKernel({ ...first, splits, bias: 0 }));
  kernels.set("product middle", filterGradientKernel({ ...middle, splits, bias: 1 }));
  kernels.set("product last", filterGradientKernel({ ...last, splits }));
}
