import type * as tf from "@tensorflow/tfjs-core";
import { depthOf, kernelOf, type Sweep, sweepForward, type Weights } from "../model/network.js";
import type { Loss } from "./loss.js";
import { biasGradient, filterGradient, inputGradient } from "./ops.js";

/** Network inputs (ILR) and what they should become (HR), both [n, h, w, 3] on the backend. */
export interface Batch {
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
}

/** A walk forward and back, kept for a second derivative at the same point. */
export interface Tape {
  readonly sweep: Sweep;
  /** δ_1 … δ_D at 0 … D−1: gradients of the loss with respect to each convolution's output. */
  readonly deltas: readonly tf.Tensor[];
}

export interface LossGradient {
  /** A scalar tensor. */
  readonly loss: tf.Tensor;
  /** `weight` times the gradient, in layout order. */
  readonly gradient: tf.Tensor[];
  /** Only if asked for. */
  readonly tape: Tape | undefined;
}

/**
 * Loss and gradient by backpropagation: one pass forward, one for the inputs' and one for the kernels' gradients.
 * Activations are let go on the way back unless the tape is kept. To be run inside `tf.tidy`.
 */
export function lossGradient(
  weights: Weights,
  { x, y }: Batch,
  loss: Loss,
  { weight = 1, keepTape = false }: { weight?: number; keepTape?: boolean } = {},
): LossGradient {
  const depth = depthOf(weights);
  const sweep = sweepForward(weights, x);
  const value = loss.value(sweep.output, y);
  const gradient = new Array<tf.Tensor>(weights.length);
  const deltas = new Array<tf.Tensor>(depth);
  let delta = loss.gradient(sweep.output, y, weight);
  if (!keepTape) sweep.output.dispose();
  for (let layer = depth; layer >= 1; layer--) {
    const below = sweep.activations[layer - 1]!;
    deltas[layer - 1] = delta;
    gradient[2 * layer - 2] = filterGradient({ x: below, dy: delta });
    gradient[2 * layer - 1] = biasGradient(delta);
    if (layer > 1) delta = inputGradient({ dy: delta, filter: kernelOf(weights, layer) }, undefined, below);
    if (!keepTape) deltas[layer - 1]!.dispose();
    if (!keepTape && layer > 1) below.dispose();
  }
  return { loss: value, gradient, tape: keepTape ? { sweep, deltas } : undefined };
}
