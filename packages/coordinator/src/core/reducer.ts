import { ExactSums, floatsToBytes, type TaskOutcome } from "@mzsr/shared";

/** What the tasks of one step give together. */
export interface Reduction {
  /** Mean gradient over the tasks, in the layout of the parameters. */
  readonly gradient: Float64Array;
  /** Mean over the tasks, one per inner step. */
  readonly supportLosses: readonly number[];
  readonly queryLosses: readonly number[];
}

/**
 * Sums the outcomes of a step and divides by their count. The gradients' sum is exact, so that its bits depend neither on
 * the order of the tasks nor on how they are grouped; the losses are summed in index order, in float64.
 *
 * @param outcomes all tasks of the step; `outcomes[i].index === i`
 * @throws RangeError when they are not in index order, or a gradient cannot be in an exact sum
 */
export function reduceOutcomes(outcomes: readonly TaskOutcome[]): Reduction {
  outcomes.forEach((outcome, index) => {
    if (outcome.index !== index) throw new RangeError(`outcome ${outcome.index} stands in the place of ${index}`);
  });
  return {
    gradient: meanGradient(outcomes.map((outcome) => outcome.gradient)),
    supportLosses: [...mean(outcomes.map((outcome) => outcome.supportLosses))],
    queryLosses: [...mean(outcomes.map((outcome) => outcome.queryLosses))],
  };
}

function meanGradient(gradients: readonly Float32Array[]): Float64Array {
  const sum = new ExactSums(gradients[0]!.length, 1).open();
  for (const gradient of gradients) {
    const rejection = sum.add(floatsToBytes(gradient));
    if (rejection) throw new RangeError(`a gradient that was let in ${rejection.reason}`);
  }
  return sum.mean();
}

function mean(rows: readonly ArrayLike<number>[]): Float64Array {
  const sum = new Float64Array(rows[0]!.length);
  for (const row of rows) {
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + row[i]!;
  }
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! / rows.length;
  return sum;
}
