// Our side of bench/task.ts: one second-order task on the simd backend.
import { Draws, initialParameters, metaGradient } from "@mzsr/shared";
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
  const draws = new Draws(1, [0, 0, 0]);
  const architecture = { depth, width };
  const shape = [patches, side, side, 3];
  const image = () => Float32Array.from({ length: patches * side * side * 3 }, () => draws.uniform(0, 1));
  return {
    architecture,
    theta: initialParameters(architecture, draws),
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
