/** The side that computes, on the active TensorFlow.js backend of its thread. */
import * as tf from "@tensorflow/tfjs-core";
import { uploadImage } from "../adaptation/upload-image.js";
import { computeTile } from "../enlargement/compute-tile.js";
import { type Batch, lossGradient } from "../meta-learning/gradient.js";
import { l1Loss } from "../meta-learning/loss.js";
import type { Architecture } from "../model/layout.js";
import { downloadWeights, forward, uploadWeights } from "../model/network.js";
import type { NetworkAnswers, NetworkRequest, PairGradient } from "./network-requests.js";

export class NetworkThread {
  #architecture: Architecture | undefined;
  #batches: readonly Batch[] = [];
  #part = 1;
  #weights: tf.Tensor[] = [];

  /** Requests are answered in the order in which they come: call it when the last one is answered. */
  async answer(request: NetworkRequest): Promise<NetworkAnswers[NetworkRequest["kind"]]> {
    switch (request.kind) {
      case "pairs":
        this.#forget();
        this.#architecture = request.architecture;
        this.#part = request.part;
        this.#batches = request.pairs.map(({ x, y }) => ({ x: uploadImage(x), y: uploadImage(y) }));
        return undefined;
      case "gradients":
        return this.#withWeights(request.parameters, (weights) => this.#gradients(weights));
      case "losses":
        return this.#withWeights(request.parameters, (weights) => this.#losses(weights));
      case "network":
        this.#forget();
        this.#weights = uploadWeights(request.architecture, request.parameters);
        return undefined;
      case "tile":
        return (await computeTile(this.#weights, request.source)).data;
    }
  }

  #forget(): void {
    for (const { x, y } of this.#batches) tf.dispose([x, y]);
    this.#batches = [];
    tf.dispose(this.#weights);
    this.#weights = [];
  }

  async #withWeights<T>(parameters: Float32Array, compute: (weights: tf.Tensor[]) => Promise<T>): Promise<T> {
    const weights = uploadWeights(this.#architecture!, parameters);
    try {
      return await compute(weights);
    } finally {
      tf.dispose(weights);
    }
  }

  async #gradients(weights: tf.Tensor[]): Promise<PairGradient[]> {
    const gradients: PairGradient[] = [];
    for (const batch of this.#batches) {
      const { loss, gradient } = tf.tidy(() => {
        const computed = lossGradient(weights, batch, l1Loss, { weight: this.#part });
        return { loss: computed.loss, gradient: computed.gradient };
      });
      gradients.push({ loss: (await loss.data())[0]!, gradient: await downloadWeights(gradient) });
      tf.dispose([loss, gradient]);
    }
    return gradients;
  }

  async #losses(weights: tf.Tensor[]): Promise<number[]> {
    const losses: number[] = [];
    for (const batch of this.#batches) {
      const loss = tf.tidy(() => l1Loss.value(forward(weights, batch.x), batch.y));
      losses.push((await loss.data())[0]!);
      loss.dispose();
    }
    return losses;
  }
}
