// The process that bench/large-photo.ts measures: adapts to a synthetic photo, enlarges it, and writes the result.
import { createImage, Draws, gaussianKernel, initialParameters, readImage, superResolve, writePng } from "@mzsr/mzsr";
import "@mzsr/tfjs-backend-simd";
import * as tf from "@tensorflow/tfjs-core";
import { serve } from "./serve.mjs";

await tf.setBackend("simd");

await serve(async ({ photo, result, height, width, depth, channels, updates }) => {
  await writePng(photo, waves(height, width));
  const architecture = { depth, width: channels };
  const parameters = initialParameters(architecture, new Draws(1, [0, 0, 0]));
  const model = { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };
  const degradation = { kernel: gaussianKernel({ lambda1: 2, lambda2: 2, theta: 0 }), downsampling: "direct" };
  const { image } = await superResolve(model, await readImage(photo), { degradation, updates });
  await writePng(result, image);
});

function waves(height, width) {
  const image = createImage(height, width, 3);
  for (let i = 0; i < image.data.length; i++) image.data[i] = 0.5 + 0.4 * Math.sin(i / 97) * Math.cos(i / 70013);
  return image;
}
