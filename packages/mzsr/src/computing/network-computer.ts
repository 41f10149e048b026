/**
 * What computes with a network for a photo: the TensorFlow.js backend of a thread, threads that share the work, or a GPU. The method
 * itself (what is learned from, which steps are taken, what becomes of the results) is the same for all and lies elsewhere.
 */
import type { AdaptationPair } from "../adaptation/adaptation-pairs.js";
import type { Tile, TileSource } from "../enlargement/tiles.js";
import type { Size } from "../imaging/resize.js";
import type { PatchPairs } from "../meta-learning/patch-pairs.js";
import type { Architecture } from "../model/layout.js";
import type { Model } from "../model/model.js";

/** One photo at a time. Whoever asks for a part disposes of it. */
export interface NetworkComputer {
  /** @param pairs all of one size, each of equal part in the loss */
  learner(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Learner>;
  /** @param pairs what the network is measured on: all of one size */
  trainer(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Trainer>;
  /** @param tileSide largest side of a tile without its margin, in pixels of the result */
  enlarger(network: Network, result: Size, tileSide: number): Promise<Enlarger>;
}

export type Network = Pick<Model, "architecture" | "parameters">;

/** Rates of a step: one for all tensors, or one per tensor. */
export type Rates = number | ArrayLike<number>;

/** Adapts a network by gradient descent over all pairs at once. */
export interface Learner {
  /** One step. @returns the parameters after it, and the L1 loss before it */
  descend(parameters: Float32Array, rates: Rates): Promise<Descent>;
  /** L1 over all pairs. */
  loss(parameters: Float32Array): Promise<number>;
  dispose(): void;
}

export interface Descent {
  readonly parameters: Float32Array;
  readonly loss: number;
}

/** Trains a network on minibatches, as ZSSR does. */
export interface Trainer {
  /** Of the L1 loss, in layout order; and that loss. */
  gradient(parameters: Float32Array, minibatch: PatchPairs): Promise<{ gradient: Float32Array; loss: number }>;
  /** Mean over the pairs. */
  squaredError(parameters: Float32Array): Promise<number>;
  dispose(): void;
}

/** Applies a network to the tiles of a result. */
export interface Enlarger {
  /** That cover the result, row by row. */
  readonly rows: readonly (readonly Tile[])[];
  /** Whether it computes elsewhere: then tiles are asked for before the last ones are there. */
  readonly elsewhere: boolean;
  /** @param source is made when its turn has come @returns the part that is written */
  tile(source: () => TileSource): Promise<Float32Array>;
  dispose(): void;
}
