import { degrade, interpolateLow } from "../degradation/degrade.js";
import type { BlurKernel } from "../degradation/kernel.js";
import { type Image, transformImage } from "../imaging/image.js";
import type { PatchPairs } from "../meta/patch-pairs.js";
import type { PatchSource, Task } from "./task.js";

/** The square of `side` pixels at (y, x) of image `image` of the data set. */
export type PatchReader = (image: number, y: number, x: number, side: number) => Image;

/** The two sets of a task. In pretraining `support` is the minibatch and `query` has no patches. */
export interface TaskData {
  readonly support: PatchPairs;
  readonly query: PatchPairs;
}

/**
 * Makes a task's patches: HR crops, flipped or turned, and their ILR images (DESIGN §2). Each patch is degraded by
 * itself, with mirrored edges, as the paper's code does.
 */
export function taskData(task: Task, read: PatchReader): TaskData {
  return {
    support: pairs(task, task.support, 0, task.supportFrom === "low" ? lowPatch : highPatch, read),
    query: pairs(task, task.query, task.support.length, highPatch, read),
  };
}

/** @param before patches of the task that precede these: noise seeds count on */
function pairs(
  task: Task,
  patches: readonly PatchSource[],
  before: number,
  patchOf: typeof highPatch,
  read: PatchReader,
): PatchPairs {
  const { patchSize } = task;
  const values = patchSize * patchSize * 3;
  const shape = [patches.length, patchSize, patchSize, 3] as const;
  const x = new Float32Array(patches.length * values);
  const y = new Float32Array(patches.length * values);
  patches.forEach((patch, i) => {
    const target = patchOf(task, patch, before + i, read);
    y.set(target.data, i * values);
    x.set(interpolatedLow(task, target, task.kernels[patch.kernel], before + i).data, i * values);
  });
  return { shape, x, y };
}

/** A turned crop of a photograph. */
function highPatch(
  { patchSize }: Task,
  { image, y, x, transform }: PatchSource,
  _patch: number,
  read: PatchReader,
): Image {
  return transformImage(read(image, y, x, patchSize), transform);
}

/** The LR image of a turned crop, which then takes an HR patch's place: what adaptation to a photo learns from. */
function lowPatch(
  task: Task,
  { image, y, x, transform, kernel }: PatchSource,
  patch: number,
  read: PatchReader,
): Image {
  const { scale, downsampling, noiseSigma, noiseSeed } = task;
  const high = transformImage(read(image, y, x, task.patchSize * scale), transform);
  const noise = { sigma: noiseSigma, seed: noiseSeed + task.support.length + task.query.length + patch };
  return degrade(high, { kernel: task.kernels[kernel], scale, downsampling, noise });
}

/** The ILR image of an HR patch. Without a kernel the patch is only downsampled: bicubic pairs, as in pretraining. */
function interpolatedLow(task: Task, high: Image, kernel: BlurKernel | undefined, patch: number): Image {
  const { scale, downsampling, noiseSigma, noiseSeed } = task;
  const noise = { sigma: noiseSigma, seed: noiseSeed + patch };
  const low = degrade(high, { kernel, scale, downsampling, noise });
  return interpolateLow(low, scale, [high.height, high.width]);
}
