import type { TaskReport } from "@mzsr/shared";

/** Losses of a step: means over its tasks, one per inner step. */
export interface StepLosses {
  readonly supportLosses: readonly number[];
  readonly queryLosses: readonly number[];
}

/**
 * Sums the losses of a step's tasks in index order, in float64, and divides by their count: the same bits whatever the
 * order in which they arrived.
 *
 * @param reports of all tasks of the step; `reports[i].index === i`
 * @throws RangeError when they are not in index order
 */
export function meanLosses(reports: readonly TaskReport[]): StepLosses {
  reports.forEach((report, index) => {
    if (report.index !== index) throw new RangeError(`report ${report.index} stands in the place of ${index}`);
  });
  return {
    supportLosses: mean(reports.map(({ supportLosses }) => supportLosses)),
    queryLosses: mean(reports.map(({ queryLosses }) => queryLosses)),
  };
}

function mean(rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
}
