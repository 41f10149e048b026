import * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "./gradient.js";

/** Pairs of patches as flat NHWC arrays. */
export interface PatchPairs {
  /** [n, h, w, 3] */
  readonly shape: readonly [number, number, number, number];
  /** Network inputs: ILR. */
  readonly x: Float32Array;
  /** Targets: HR. */
  readonly y: Float32Array;
}

/** Copies pairs to the backend. The caller (or its `tf.tidy`) owns the tensors. */
export function uploadPairs({ shape, x, y }: PatchPairs): Batch {
  return { x: tf.tensor(x, [...shape], "float32"), y: tf.tensor(y, [...shape], "float32") };
}
