/**
 * The network on the active TensorFlow.js backend: output = input + conv_D(ReLU(conv_{D−1}(… ReLU(conv_1(input))))).
 */
import * as tf from "@tensorflow/tfjs-core";
import { convolve } from "../meta-learning/ops.js";
import { type Architecture, parameterLayout } from "./layout.js";

/** The network's tensors in layout order: kernel 1, bias 1, kernel 2, bias 2, … */
export type Weights = readonly tf.Tensor[];

/** Copies the network's part of a flat state to the backend. The caller owns the tensors. */
export function uploadWeights(architecture: Architecture, state: Float32Array): tf.Tensor[] {
  return parameterLayout(architecture).entries.map(({ shape, offset, size }) =>
    tf.tensor(state.slice(offset, offset + size), [...shape], "float32"),
  );
}

/** Copies tensors from the backend into one flat array, one after the other. */
export async function downloadWeights(weights: Weights): Promise<Float32Array> {
  const parts = (await Promise.all(weights.map((tensor) => tensor.data()))) as Float32Array[];
  const flat = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    flat.set(part, offset);
    offset += part.length;
  }
  return flat;
}

/** What the walk back through the network needs of the walk forward. */
export interface Sweep {
  /** a_0 … a_{D−1}: the input itself (not owned), then the output of each ReLU. */
  readonly activations: readonly tf.Tensor[];
  readonly output: tf.Tensor;
}

/** Number of convolutions. */
export function depthOf(weights: Weights): number {
  return weights.length / 2;
}

/** The kernel of a layer, counted from 1. */
export function kernelOf(tensors: Weights, layer: number): tf.Tensor {
  return tensors[2 * layer - 2]!;
}

/** The bias of a layer, counted from 1. */
export function biasOf(tensors: Weights, layer: number): tf.Tensor {
  return tensors[2 * layer - 1]!;
}

/** Forward through all layers, keeping every ReLU's output. `x` is [n, h, w, 3]. */
export function sweepForward(weights: Weights, x: tf.Tensor): Sweep {
  const depth = depthOf(weights);
  const activations = [x];
  for (let layer = 1; layer < depth; layer++) {
    activations.push(convolve(activations[layer - 1]!, kernelOf(weights, layer), biasOf(weights, layer), "relu"));
  }
  return { activations, output: lastLayer(weights, activations[depth - 1]!, x) };
}

/** Forward through all layers, keeping nothing but the result. `x` is [n, h, w, 3]. */
export function forward(weights: Weights, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    let activation = x;
    for (let layer = 1; layer < depthOf(weights); layer++) {
      const next = convolve(activation, kernelOf(weights, layer), biasOf(weights, layer), "relu");
      if (activation !== x) activation.dispose();
      activation = next;
    }
    return lastLayer(weights, activation, x);
  });
}

function lastLayer(weights: Weights, activation: tf.Tensor, input: tf.Tensor): tf.Tensor {
  const depth = depthOf(weights);
  const residual = convolve(activation, kernelOf(weights, depth), biasOf(weights, depth), "linear");
  const output = tf.add(input, residual);
  residual.dispose();
  return output;
}
