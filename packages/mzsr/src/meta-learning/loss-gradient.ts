import * as tf from "@tensorflow/tfjs-core";
import type { Architecture } from "../model/layout.js";
import { downloadWeights, uploadWeights } from "../model/network.js";
import { lossGradient } from "./gradient.js";
import { l1Loss } from "./loss.js";
import { type PatchPairs, uploadPairs } from "./patch-pairs.js";

/**
 * The gradient of the L1 loss over one minibatch (stage 1, pretraining).
 *
 * @param parameters the network in layout order
 * @returns gradient in the same order, and the loss
 */
export async function minibatchGradient(
  architecture: Architecture,
  parameters: Float32Array,
  pairs: PatchPairs,
): Promise<{ gradient: Float32Array; loss: number }> {
  const { gradient, loss } = tf.tidy(() => {
    const { gradient, loss } = lossGradient(uploadWeights(architecture, parameters), uploadPairs(pairs), l1Loss);
    return { gradient, loss };
  });
  try {
    return { gradient: await downloadWeights(gradient), loss: (await loss.data())[0]! };
  } finally {
    tf.dispose([gradient, loss]);
  }
}
