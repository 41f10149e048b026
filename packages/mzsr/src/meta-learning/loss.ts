import * as tf from "@tensorflow/tfjs-core";
import { meanAbsoluteDifference, scaledSign } from "./ops.js";

/** A loss of a network's output, with what first and second order need of it. */
export interface Loss {
  /** The loss, a scalar tensor. */
  value(prediction: tf.Tensor, target: tf.Tensor): tf.Tensor;
  /** `weight` times the gradient with respect to the prediction. */
  gradient(prediction: tf.Tensor, target: tf.Tensor, weight: number): tf.Tensor;
  /**
   * The derivative of the gradient along a tangent of the prediction (Pearlmutter's R applied to the loss's
   * gradient). Left out by a loss whose gradient is piecewise constant, which spares the passes that it would feed.
   */
  gradientTangent?(prediction: tf.Tensor, target: tf.Tensor, tangent: tf.Tensor): tf.Tensor;
}

/** The paper's loss: the mean absolute difference over all elements, with sign(0) = 0. */
export const l1Loss: Loss = {
  value: meanAbsoluteDifference,
  gradient: (prediction, target, weight) => scaledSign(prediction, target, weight / prediction.size),
};

/** Mean squared difference: a smooth loss, on which second order can be checked by finite differences. */
export const squaredLoss: Loss = {
  value: (prediction, target) => tf.tidy(() => tf.mean(tf.square(tf.sub(prediction, target)))),
  gradient: (prediction, target, weight) =>
    tf.tidy(() => tf.mul(tf.sub(prediction, target), (2 * weight) / prediction.size)),
  gradientTangent: (prediction, _target, tangent) => tf.tidy(() => tf.mul(tangent, 2 / prediction.size)),
};
