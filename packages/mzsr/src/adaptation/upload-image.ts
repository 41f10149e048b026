import * as tf from "@tensorflow/tfjs-core";
import type { Image } from "../imaging/image.js";

/** An image as a batch of one, [1, h, w, 3]. */
export function uploadImage({ height, width, channels, data }: Image): tf.Tensor {
  return tf.tensor(data, [1, height, width, channels], "float32");
}
