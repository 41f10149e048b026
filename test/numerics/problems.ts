import { Draws, type MetaProblem, type PatchPairs, parameterLayout } from "@mzsr/mzsr";

/** Backends that every machine has. */
export const BACKENDS = ["cpu", "simd"] as const;

/** Random patches in [0, 1]. */
export function randomPairs(draws: Draws, patches: number, height: number, width: number): PatchPairs {
  const image = () => Float32Array.from({ length: patches * height * width * 3 }, () => draws.uniform(0, 1));
  return { shape: [patches, height, width, 3], x: image(), y: image() };
}

/** A small second-order task with random parameters; `more` overrides. */
export function randomProblem(more: Partial<MetaProblem> & { patchSide?: number } = {}): MetaProblem {
  const draws = new Draws(7, [0, 0, 0]);
  const { architecture = { depth: 3, width: 5 }, innerSteps = 3, patchSide = 6 } = more;
  const tensors = parameterLayout(architecture).entries;
  const network = tensors.flatMap(({ name, shape, size }) => {
    const spread = name.endsWith("/bias") ? 0.1 : Math.sqrt(2 / (9 * shape[2]!));
    return Array.from({ length: size }, () => draws.normal() * spread);
  });
  const logRates = Array.from({ length: innerSteps * tensors.length }, () => Math.log(0.05) + 0.3 * draws.normal());
  return {
    architecture,
    theta: Float32Array.from(more.learnedRates ? [...network, ...logRates] : network),
    innerRate: 0.05,
    innerSteps,
    learnedRates: false,
    stepWeights: Array.from({ length: innerSteps }, (_, j) => (j + 1) / innerSteps),
    order: 2,
    support: randomPairs(draws, 2, patchSide, patchSide + 1),
    query: randomPairs(draws, 2, patchSide, patchSide + 1),
    ...more,
  };
}
