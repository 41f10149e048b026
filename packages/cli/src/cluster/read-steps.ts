import { join } from "node:path";
import { readMetrics, summaryOf } from "@mzsr/coordinator";
import type { StepSummary } from "@mzsr/shared";

/** The finished steps of a run folder, in order; none where there are none. */
export async function readSteps(runFolder: string): Promise<StepSummary[]> {
  const { lines } = await readMetrics(join(runFolder, "metrics.jsonl"));
  return lines.map(summaryOf);
}
