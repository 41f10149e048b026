import { type BlurKernel, degrade, type Image, interpolateLow, type PatchPairs, transformImage } from "@mzsr/mzsr";
import type { PatchSource, Task } from "@mzsr/shared";

/** The square of `side` pixels at (y, x) of image `image` of the data set. */
export type PatchReader = (image: number, y: number, x: number, side: number) => Image;

/** The two sets of a task. In pretraining `support` is the minibatch and `query` has no patches. */
export interface TaskData {
  readonly support: PatchPairs;
  readonly query: PatchPairs;
}

/**
 * The squares of the photographs that a task is made of, as they lie there: those of the support set, then those of the
 * query set. This is all that `taskData` needs of the photographs, so it may run elsewhere.
 */
export function taskCrops(task: Task, read: PatchReader): Image[] {
  const supportSide = task.supportFrom === "low" ? task.patchSize * task.scale : task.patchSize;
  const crop = ({ image, y, x }: PatchSource, side: number) => read(image, y, x, side);
  return [
    ...task.support.map((patch) => crop(patch, supportSide)),
    ...task.query.map((patch) => crop(patch, task.patchSize)),
  ];
}

/**
 * Makes a task's patches from its crops: flipped or turned, and their ILR images (docs/method.md). Each patch is degraded by
 * itself, with mirrored edges, as the paper's code does.
 */
export function taskData(task: Task, crops: readonly Image[]): TaskData {
  const { support, query } = task;
  return {
    support: pairs(task, support, crops, 0, task.supportFrom === "low" ? lowPatch : highPatch),
    query: pairs(task, query, crops, support.length, highPatch),
  };
}

/** @param before patches of the task that precede these: crops and noise seeds count on */
function pairs(
  task: Task,
  patches: readonly PatchSource[],
  crops: readonly Image[],
  before: number,
  patchOf: typeof lowPatch,
): PatchPairs {
  const { patchSize } = task;
  const values = patchSize * patchSize * 3;
  const shape = [patches.length, patchSize, patchSize, 3] as const;
  const x = new Float32Array(patches.length * values);
  const y = new Float32Array(patches.length * values);
  patches.forEach((patch, i) => {
    const crop = crops[before + i];
    if (crop === undefined) throw new RangeError(`patch ${before + i} came without its crop`);
    const target = patchOf(task, patch, crop, before + i);
    y.set(target.data, i * values);
    x.set(interpolatedLow(task, target, task.kernels[patch.kernel], before + i).data, i * values);
  });
  return { shape, x, y };
}

/** A turned crop of a photograph. */
function highPatch(_task: Task, { transform }: PatchSource, crop: Image): Image {
  return transformImage(crop, transform);
}

/** The LR image of a turned crop, which then takes an HR patch's place: what adaptation to a photo learns from. */
function lowPatch(task: Task, { transform, kernel }: PatchSource, crop: Image, patch: number): Image {
  const { scale, downsampling, noiseSigma, noiseSeed } = task;
  const noise = { sigma: noiseSigma, seed: noiseSeed + task.support.length + task.query.length + patch };
  return degrade(transformImage(crop, transform), { kernel: task.kernels[kernel], scale, downsampling, noise });
}

/** The ILR image of an HR patch. Without a kernel the patch is only downsampled: bicubic pairs, as in pretraining. */
function interpolatedLow(task: Task, high: Image, kernel: BlurKernel | undefined, patch: number): Image {
  const { scale, downsampling, noiseSigma, noiseSeed } = task;
  const noise = { sigma: noiseSigma, seed: noiseSeed + patch };
  const low = degrade(high, { kernel, scale, downsampling, noise });
  return interpolateLow(low, scale, [high.height, high.width]);
}
