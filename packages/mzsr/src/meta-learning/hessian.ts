/**
 * The exact product of a loss's Hessian with a vector, by Pearlmutter's R-operator (Fast exact multiplication by the
 * Hessian, 1994), forward over reverse: R{·} is the derivative along the direction v = (V_l, c_l) of the parameters.
 *
 * Forward:  R z_l = R a_{l−1} ⊛ W_l + a_{l−1} ⊛ V_l + c_l,   R a_l = R z_l where a_l > 0,   R a_0 = 0.
 * Back:     R δ_{l−1} = (R δ_l ⊛ᵀ W_l + δ_l ⊛ᵀ V_l) where a_{l−1} > 0,
 *           (H v)_{W_l} = R a_{l−1} ⊗ δ_l + a_{l−1} ⊗ R δ_l,   (H v)_{b_l} = Σ R δ_l.
 *
 * For L1, R δ_D = 0: the last layer's tangent output is never needed, nor what it would feed.
 */
import * as tf from "@tensorflow/tfjs-core";
import { biasOf, depthOf, kernelOf, type Sweep, sweepForward, type Weights } from "../model/network.js";
import type { Batch, Tape } from "./gradient.js";
import type { Loss } from "./loss.js";
import { biasGradient, filterGradient, inputGradient, tangentConvolve } from "./ops.js";

/**
 * H v of the loss at `weights`. To be run inside `tf.tidy`; the direction stays the caller's.
 *
 * @param direction v in layout order
 * @param tape the walk at the same weights and batch, if it was kept (it is freed on the way); else it is done again
 */
export function hessianVectorProduct(
  weights: Weights,
  batch: Batch,
  loss: Loss,
  direction: Weights,
  tape?: Tape,
): tf.Tensor[] {
  const depth = depthOf(weights);
  const sweep = tape?.sweep ?? sweepForward(weights, batch.x);
  const tangents = activationTangents(weights, direction, sweep);
  let delta = tape?.deltas[depth - 1] ?? loss.gradient(sweep.output, batch.y, 1);
  let deltaTangent = lastDeltaTangent(weights, direction, sweep, tangents, batch, loss);
  sweep.output.dispose();

  const product = new Array<tf.Tensor>(weights.length);
  for (let layer = depth; layer >= 1; layer--) {
    const below = sweep.activations[layer - 1]!;
    const belowTangent = tangents[layer - 1];
    const kernel = kernelOf(weights, layer);
    product[2 * layer - 2] = kernelProduct(kernel, below, belowTangent, delta, deltaTangent);
    product[2 * layer - 1] =
      deltaTangent === undefined ? tf.zerosLike(biasOf(weights, layer)) : biasGradient(deltaTangent);
    let deltaBelow: tf.Tensor | undefined;
    let deltaTangentBelow: tf.Tensor | undefined;
    if (layer > 1) {
      const throughDirection = { dy: delta, filter: kernelOf(direction, layer) };
      const throughKernel = deltaTangent === undefined ? undefined : { dy: deltaTangent, filter: kernel };
      deltaTangentBelow = inputGradient(throughDirection, throughKernel, below);
      deltaBelow = tape?.deltas[layer - 2] ?? inputGradient({ dy: delta, filter: kernel }, undefined, below);
      below.dispose();
    }
    delta.dispose();
    deltaTangent?.dispose();
    belowTangent?.dispose();
    deltaTangent = deltaTangentBelow;
    if (deltaBelow !== undefined) delta = deltaBelow;
  }
  return product;
}

/** R a_0 … R a_{D−1}; the first is 0 and left out. */
function activationTangents(weights: Weights, direction: Weights, { activations }: Sweep): (tf.Tensor | undefined)[] {
  const tangents: (tf.Tensor | undefined)[] = [undefined];
  for (let layer = 1; layer < depthOf(weights); layer++) {
    tangents.push(layerTangent(weights, direction, layer, activations, tangents[layer - 1], activations[layer]));
  }
  return tangents;
}

/** R δ_D, undefined where the loss has none. */
function lastDeltaTangent(
  weights: Weights,
  direction: Weights,
  { activations, output }: Sweep,
  tangents: readonly (tf.Tensor | undefined)[],
  batch: Batch,
  loss: Loss,
): tf.Tensor | undefined {
  if (loss.gradientTangent === undefined) return undefined;
  const depth = depthOf(weights);
  const outputTangent = layerTangent(weights, direction, depth, activations, tangents[depth - 1], undefined);
  const result = loss.gradientTangent(output, batch.y, outputTangent);
  outputTangent.dispose();
  return result;
}

function layerTangent(
  weights: Weights,
  direction: Weights,
  layer: number,
  activations: readonly tf.Tensor[],
  tangentBelow: tf.Tensor | undefined,
  y: tf.Tensor | undefined,
): tf.Tensor {
  const below = activations[layer - 1]!;
  return tangentConvolve(
    tangentBelow,
    kernelOf(weights, layer),
    below,
    kernelOf(direction, layer),
    biasOf(direction, layer),
    y,
  );
}

function kernelProduct(
  kernel: tf.Tensor,
  below: tf.Tensor,
  belowTangent: tf.Tensor | undefined,
  delta: tf.Tensor,
  deltaTangent: tf.Tensor | undefined,
): tf.Tensor {
  const first = belowTangent === undefined ? undefined : { x: belowTangent, dy: delta };
  const second = deltaTangent === undefined ? undefined : { x: below, dy: deltaTangent };
  if (first !== undefined) return filterGradient(first, second);
  return second === undefined ? tf.zerosLike(kernel) : filterGradient(second);
}
