/** Kernels that differ from photo to photo: those estimated from the photo itself, and those drawn at random. */
import {
  type Downsampling,
  Draws,
  describeEstimate,
  estimateKernel,
  type GaussianShape,
  gaussianKernel,
  type Image,
  InputError,
  type KernelEstimate,
  randomKernelShape,
} from "@mzsr/mzsr";
import { chooseKernel, type KernelChoice } from "./kernel-choice.js";

/** What `--kernel` and `--adapt-with` call the estimate. */
const AUTO = "auto";

/** The kernel that a photo is adapted with, and how it was found where it was estimated. */
export interface PhotoKernel extends KernelChoice {
  readonly estimate?: KernelEstimate;
}

export interface PhotoKernelOptions {
  /** Of the model: kernels are in pixels of the enlarged photo. */
  readonly scale: number;
  readonly downsampling?: Downsampling | undefined;
  readonly centerKernel?: boolean | undefined;
}

/** What the user wants photos to be adapted with: one kernel for all, or what each shows of its own. */
export interface KernelPlan {
  /** As the user calls it. */
  readonly name: string;
  /** None: estimated from each photo. */
  readonly named: KernelChoice | undefined;
  /** Of a kernel that is estimated. */
  readonly downsampling: Downsampling;
}

/**
 * Plain data, so that it can go to another thread.
 * @throws InputError when there is no such kernel
 */
export async function planKernel(
  name: string,
  { downsampling, centerKernel }: Omit<PhotoKernelOptions, "scale">,
): Promise<KernelPlan> {
  const named = name === AUTO ? undefined : await chooseKernel(name, downsampling, { centerKernel });
  return { name, named, downsampling: named?.downsampling ?? downsampling ?? "direct" };
}

/**
 * The kernel of one photo as planned.
 * @param scale of the model: kernels are in pixels of the enlarged photo
 */
export async function plannedKernel(
  { named, downsampling }: KernelPlan,
  photo: Image,
  scale: number,
): Promise<PhotoKernel> {
  if (named !== undefined) return named;
  const estimate = await estimateKernel(photo, { scale, downsampling });
  const kernel = { ...estimate.kernel, name: `auto (${gaussianName(estimate.shape)})`, notes: [] };
  return { kernel, downsampling, estimate };
}

/** `about 1.7 px of blur, a little wider along 30°; direct; sure to 0.08 px (gauss:3.6,2.2,-0.52)`, for the estimate of a photo. */
export function estimateInWords(estimate: KernelEstimate): string {
  return `${describeEstimate(estimate)} (${gaussianName(estimate.shape)})`;
}

/** As `--kernel` takes it. */
export function gaussianName({ lambda1, lambda2, theta }: GaussianShape): string {
  return `gauss:${[lambda1, lambda2, theta].map((value) => Number(value.toFixed(2))).join(",")}`;
}

/** Gives each photo, by its place in the folder, the kernel that it is degraded with. */
export type KernelOf = (place: number) => KernelChoice;

/**
 * The kernel that a user names for all photos, or with `random` or `random:SEED` another for each, drawn as in training.
 * @throws InputError when there is no such kernel
 */
export async function testKernels(
  name: string,
  { scale, downsampling, centerKernel }: PhotoKernelOptions,
): Promise<{ readonly kernelOf: KernelOf; readonly downsampling: Downsampling; readonly notes: readonly string[] }> {
  const [, seed] = /^random(?::(.*))?$/.exec(name) ?? [];
  if (!name.startsWith("random")) {
    const choice = await chooseKernel(name, downsampling, { centerKernel });
    return { kernelOf: () => choice, downsampling: choice.downsampling, notes: choice.kernel.notes };
  }
  if (!/^random(:\d{1,15})?$/.test(name)) {
    throw new InputError(`no such kernel: '${name}'`, { expected: "random, or random:SEED with a whole number" });
  }
  const kernelOf = (place: number): KernelChoice => {
    const shape = randomKernelShape(new Draws(Number(seed ?? 1), [place, 0, 0]), scale);
    const kernel = { ...gaussianKernel(shape), name: gaussianName(shape), notes: [] };
    return { kernel, downsampling: downsampling ?? "direct" };
  };
  return { kernelOf, downsampling: downsampling ?? "direct", notes: [] };
}
