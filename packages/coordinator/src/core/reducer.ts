import type { TaskOutcome } from "@mzsr/shared";

/** What the tasks of one step give together. */
export interface Reduction {
  /** Mean gradient over the tasks, in the layout of the parameters. */
  readonly gradient: Float64Array;
  /** Mean over the tasks, one per inner step. */
  readonly supportLosses: readonly number[];
  readonly queryLosses: readonly number[];
}

/**
 * Sums the outcomes of a step in index order, in float64, and divides by their count: the same bits whatever the order
 * in which they arrived (docs/design.md §6).
 *
 * @param outcomes all tasks of the step; `outcomes[i].index === i`
 */
export function reduceOutcomes(outcomes: readonly TaskOutcome[]): Reduction {
  outcomes.forEach((outcome, index) => {
    if (outcome.index !== index) throw new RangeError(`outcome ${outcome.index} stands in the place of ${index}`);
  });
  return {
    gradient: mean(outcomes.map((outcome) => outcome.gradient)),
    supportLosses: [...mean(outcomes.map((outcome) => outcome.supportLosses))],
    queryLosses: [...mean(outcomes.map((outcome) => outcome.queryLosses))],
  };
}

function mean(rows: readonly ArrayLike<number>[]): Float64Array {
  const sum = new Float64Array(rows[0]!.length);
  for (const row of rows) {
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + row[i]!;
  }
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! / rows.length;
  return sum;
}
