// Our side of bench/adaptation.ts: adapts to a photo and enlarges it, on the simd backend.
import { Draws, initialParameters, loadKernel, readImage, superResolve } from "@mzsr/mzsr";
import "@mzsr/tfjs-backend-simd";
import * as tf from "@tensorflow/tfjs-core";
import { serve } from "./serve.mjs";

await tf.setBackend("simd");

await serve(async ({ photo, depth, width, updates }) => {
  const architecture = { depth, width };
  const parameters = initialParameters(architecture, new Draws(1, [0, 0, 0]));
  const model = { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };
  const kernel = await loadKernel("g2.0");
  await superResolve(model, await readImage(photo), { degradation: { kernel, downsampling: "direct" }, updates });
});
