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
    support: pairs(task, task.support, 0, read),
    query: pairs(task, task.query, task.support.length, read),
  };
}

/** @param before patches of the task that precede these: noise seeds count on */
function pairs(task: Task, patches: readonly PatchSource[], before: number, read: PatchReader): PatchPairs {
  const { patchSize } = task;
  const values = patchSize * patchSize * 3;
  const shape = [patches.length, patchSize, patchSize, 3] as const;
  const x = new Float32Array(patches.length * values);
  const y = new Float32Array(patches.length * values);
  patches.forEach((patch, i) => {
    const high = transformImage(read(patch.image, patch.y, patch.x, patchSize), patch.transform);
    y.set(high.data, i * values);
    x.set(interpolatedLow(task, high, task.kernels[patch.kernel], before + i).data, i * values);
  });
  return { shape, x, y };
}

/** The ILR image of an HR patch. Without a kernel the patch is only downsampled: bicubic pairs, as in pretraining. */
function interpolatedLow(task: Task, high: Image, kernel: BlurKernel | undefined, patch: number): Image {
  const { scale, downsampling, noiseSigma, noiseSeed } = task;
  const noise = { sigma: noiseSigma, seed: noiseSeed + patch };
  const low = degrade(high, { kernel, scale, downsampling, noise });
  return interpolateLow(low, scale, [high.height, high.width]);
}
