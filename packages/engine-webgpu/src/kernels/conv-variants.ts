/**
 * The ways to compute the network's convolutions, and which is taken where. That is a rule of shape and adapter, never a
 * timing at run time, for the ways round differently: one machine gives the same bits every time.
 */
import type { AdapterDescription } from "../device/device.js";
import { convKernel } from "./conv.js";
import type { ConvOptions } from "./conv-layer.js";
import type { GridKernel } from "./kernel.js";
import { isWinogradLayer, winogradKernel } from "./winograd.js";

export type ConvolutionName = "direct" | "winograd";

interface ConvVariant {
  readonly name: ConvolutionName;
  readonly make: (options: ConvOptions) => GridKernel;
  /** Whether it can compute the layer. */
  readonly computes: (options: ConvOptions) => boolean;
  /** Fewer groups of channels on either side would leave its workgroups half empty. */
  readonly leastGroups: number;
  /** Architectures of adapters, as WebGPU calls them, on which `npm run bench:gpu` found it faster; `any` for all. */
  readonly fasterOn: readonly string[] | "any";
}

/** The first that does is taken. */
const VARIANTS: readonly ConvVariant[] = [
  // An H200: 0.94 to 1.0 times as fast with eight tasks at a time, and 1.3 times with one small task, which leaves the card
  // nearly idle. The number of tasks must not decide, since a task's bits must not depend on the others of its batch.
  { name: "winograd", make: winogradKernel, computes: isWinogradLayer, leastGroups: 8, fasterOn: [] },
  { name: "direct", make: convKernel, computes: () => true, leastGroups: 1, fasterOn: "any" },
];

/**
 * @param wanted taken wherever it can compute the layer, whatever the rule says
 * @returns what makes the kernel of a layer
 */
export function convolutionsOn(
  { architecture }: Pick<AdapterDescription, "architecture">,
  wanted?: ConvolutionName,
): (options: ConvOptions) => GridKernel {
  const isTaken = ({ name, computes, leastGroups, fasterOn }: ConvVariant, options: ConvOptions) => {
    if (!computes(options)) return false;
    if (wanted !== undefined && name !== "direct") return name === wanted;
    const groups = Math.min(options.inputGroups, options.outputGroups);
    return groups >= leastGroups && (fasterOn === "any" || fasterOn.includes(architecture));
  };
  return (options) => VARIANTS.find((variant) => isTaken(variant, options))!.make(options);
}
