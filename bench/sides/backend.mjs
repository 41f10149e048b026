// Computes tasks on the backend that is named, and prints what one costs: node backend.mjs simd
import { Draws, initialParameters, metaGradient } from "@mzsr/mzsr";
import { startBackend } from "@mzsr/worker";

const TASKS = [
  {
    name: "depth 5, width 32, 4 + 4 × 48², 3 steps",
    depth: 5,
    width: 32,
    patches: 4,
    side: 48,
    innerSteps: 3,
    times: 6,
  },
  {
    name: "depth 8, width 64, 8 + 8 × 64², 5 steps",
    depth: 8,
    width: 64,
    patches: 8,
    side: 64,
    innerSteps: 5,
    times: 1,
  },
];

const [backend] = process.argv.slice(2);
await startBackend(backend);
for (const { name, times, ...task } of TASKS) {
  const problem = problemOf(task);
  await metaGradient(problem);
  const [before, start] = [process.cpuUsage(), performance.now()];
  for (let i = 0; i < times; i++) await metaGradient(problem);
  const { user, system } = process.cpuUsage(before);
  const wall = (performance.now() - start) / 1000 / times;
  const processor = (user + system) / 1e6 / times;
  const memory = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(
    `${backend}, ${name}: processor ${processor.toFixed(2)} s, wall ${wall.toFixed(2)} s, peak ${memory} MiB`,
  );
}

function problemOf({ depth, width, patches, side, innerSteps }) {
  const architecture = { depth, width };
  const shape = [patches, side, side, 3];
  const image = (by) =>
    Float32Array.from({ length: patches * side * side * 3 }, (_, i) => (by * ((i * 7919) % 251)) / 251);
  const set = () => ({ shape, x: image(1), y: image(0.9) });
  return {
    ...{ architecture, innerSteps, innerRate: 0.01, learnedRates: false, order: 2 },
    ...{
      stepWeights: Array(innerSteps).fill(1 / innerSteps),
      theta: initialParameters(architecture, new Draws(1, [9, 9, 9])),
    },
    ...{ support: set(), query: set() },
  };
}
