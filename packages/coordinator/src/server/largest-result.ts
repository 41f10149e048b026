import type { Configuration } from "@mzsr/shared";

/** For what a result has besides numbers: names, times, field tags; and for every message that is not a result. */
const REST_BYTES = 64 * 1024;
const REST_BYTES_PER_TASK = 512;
/** A loss is a float64, with a tag where it is not packed. */
const BYTES_PER_LOSS = 9;

/**
 * The largest message that a worker of the run may have to send, in bytes: the sum of a step's tasks as two float64 for each
 * parameter, with every task's losses.
 *
 * @param parameters elements of a gradient
 */
export function largestResult(
  { metaTraining, pretraining }: Pick<Configuration, "metaTraining" | "pretraining">,
  parameters: number,
): number {
  const losses = 2 * (metaTraining.innerSteps + 1);
  const tasks = Math.max(metaTraining.tasks, pretraining.tasks);
  return REST_BYTES + 2 * 8 * parameters + tasks * (REST_BYTES_PER_TASK + losses * BYTES_PER_LOSS);
}
