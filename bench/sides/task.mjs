// Our side of bench/task.ts: one second-order task on the simd backend.
import { metaGradient, parameterLayout } from "@mzsr/mzsr";
import "@mzsr/tfjs-backend-simd";
import * as tf from "@tensorflow/tfjs-core";
import { serve } from "./serve.mjs";

await tf.setBackend("simd");
let problem;

await serve(async ({ depth, width, patches, side, innerSteps, keptSteps }) => {
  problem ??= makeProblem(depth, width, patches, side, innerSteps, keptSteps);
  await metaGradient(problem);
});

function makeProblem(depth, width, patches, side, innerSteps, keptSteps) {
  const architecture = { depth, width };
  const shape = [patches, side, side, 3];
  const image = () => Float32Array.from({ length: patches * side * side * 3 }, Math.random);
  return {
    architecture,
    theta: randomNetwork(architecture),
    innerRate: 1e-2,
    innerSteps,
    keptSteps,
    learnedRates: false,
    stepWeights: new Array(innerSteps).fill(1 / innerSteps),
    order: 2,
    support: { shape, x: image(), y: image() },
    query: { shape, x: image(), y: image() },
    // The peer does not compute it either.
    reportInitialQueryLoss: false,
  };
}

function randomNetwork(architecture) {
  const { entries, size } = parameterLayout(architecture);
  const theta = new Float32Array(size);
  for (const { name, shape, offset, size } of entries) {
    const spread = name.endsWith("/bias") ? 0 : Math.sqrt(6 / (9 * shape[2]));
    for (let i = offset; i < offset + size; i++) theta[i] = spread * (2 * Math.random() - 1);
  }
  return theta;
}
