/** Meta-steps over which the weights of the early steps fall from 1/T to 0 if there were no floor. */
const ANNEALING_META_STEPS = 10_000 / 3;

/** Smallest weight of an early step, as a share of 1/T. */
const FLOOR = 0.03;

/**
 * The weights w_j of the outer loss (MAML++ multi-step loss, as in the paper's implementation): equal at first, then
 * moving linearly to the last inner step until the others reach 0.03 / T. They sum to 1.
 *
 * @param metaStep count of meta-steps done before this one, from 0
 * @param innerSteps T ≥ 1
 */
export function stepWeights(metaStep: number, innerSteps: number): Float64Array {
  const decay = 1 / innerSteps / ANNEALING_META_STEPS;
  const floor = FLOOR / innerSteps;
  const early = Math.max(1 / innerSteps - metaStep * decay, floor);
  const last = Math.min(1 / innerSteps + metaStep * (innerSteps - 1) * decay, 1 - (innerSteps - 1) * floor);
  return new Float64Array(innerSteps).fill(early).fill(last, innerSteps - 1);
}
