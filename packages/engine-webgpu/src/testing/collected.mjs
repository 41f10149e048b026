// Run with --expose-gc: computes batches on Dawn's null backend while everything that is unreachable is collected.
// Prints how many bytes the process grew over 50 batches.
import { MetaGradientEngine, openDevice } from "@mzsr/engine-webgpu";

const patches = { patches: 4, height: 48, width: 48 };
const shape = { architecture: { depth: 3, width: 8 }, support: patches, query: patches, innerSteps: 1, order: 2 };

async function open() {
  return MetaGradientEngine.create(
    await openDevice({ backend: "null" }),
    { ...shape, learnedRates: false },
    { tasks: 4 },
  );
}

async function batches(engine, count) {
  const values = () => new Float32Array(4 * 48 * 48 * 3);
  for (let i = 0; i < count; i++) {
    const images = { shape: [4, 48, 48, 3], x: values(), y: values() };
    const task = { theta: new Float32Array(1027), innerRate: 0.01, stepWeights: [1], support: images, query: images };
    await engine.run([task, task, task, task]);
    if (i % 5 === 0) globalThis.gc();
  }
  return process.memoryUsage.rss();
}

const engine = await open();
const before = await batches(engine, 10);
console.log((await batches(engine, 50)) - before);
process.exit(0);
