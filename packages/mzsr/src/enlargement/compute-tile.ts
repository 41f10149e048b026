import * as tf from "@tensorflow/tfjs-core";
import { uploadImage } from "../adaptation/upload-image.js";
import type { Image } from "../imaging/image.js";
import { forward, type Weights } from "../model/network.js";
import { type TileSource, tileInput, writtenPart } from "./tiles.js";

/** A tile's part of the result, on the active backend. */
export async function computeTile(weights: Weights, source: TileSource): Promise<Image> {
  const input = tileInput(source);
  const result = tf.tidy(() => forward(weights, uploadImage(input)));
  try {
    return writtenPart({ ...input, data: await result.data<"float32">() }, source.tile);
  } finally {
    result.dispose();
  }
}
