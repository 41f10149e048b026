// TensorFlow.js' own WebGPU backend on the same GPU: tasks per second of the core's meta-gradient. Prints lines of JSON.
//
//   npm install --no-save webgpu @tensorflow/tfjs-backend-webgpu
//   node bench/sides/tfjs-webgpu.mjs '[{"name": "small", "depth": 5, …}]'
import { metaGradient, parameterLayout } from "@mzsr/mzsr/numeric";
import * as tf from "@tensorflow/tfjs-core";

const dawn = await import("webgpu");
Object.assign(globalThis, dawn.globals);
// Dawn must outlive its devices.
globalThis.heldDawn = dawn.create([]);
const { navigator = {} } = globalThis;
Object.defineProperty(navigator, "gpu", { value: globalThis.heldDawn, configurable: true });
Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
await import("@tensorflow/tfjs-backend-webgpu").catch(() => {
  console.error(
    "@tensorflow/tfjs-backend-webgpu is not installed: npm install --no-save @tensorflow/tfjs-backend-webgpu",
  );
  process.exit(1);
});
await tf.setBackend("webgpu");
tf.enableProdMode();

for (const { name, depth, width, patches, side, innerSteps } of JSON.parse(process.argv[2])) {
  const architecture = { depth, width };
  const image = () => Float32Array.from({ length: patches * side * side * 3 }, Math.random);
  const pairs = () => ({ shape: [patches, side, side, 3], x: image(), y: image() });
  const { size } = parameterLayout(architecture);
  const problem = {
    ...{ architecture, innerRate: 1e-2, innerSteps, learnedRates: false, order: 2, reportInitialQueryLoss: false },
    theta: Float32Array.from({ length: size }, () => 0.1 * (Math.random() - 0.5)),
    stepWeights: new Array(innerSteps).fill(1 / innerSteps),
    support: pairs(),
    query: pairs(),
  };
  for (let i = 0; i < 2; i++) await metaGradient(problem);
  const times = [];
  for (const end = performance.now() + 4000; performance.now() < end || times.length < 3; ) {
    const start = performance.now();
    await metaGradient(problem);
    times.push(performance.now() - start);
  }
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  console.log(JSON.stringify({ case: name, what: "TensorFlow.js WebGPU", tasksPerSecond: 1000 / median }));
}
process.exit(0);
