import type { Job } from "./job.js";

/**
 * How long the open jobs still take: those of a kind as long as its mean so far.
 * @param open all that were to be measured
 * @returns seconds; undefined while a kind that is still to come is not known
 */
export function secondsLeft(
  open: readonly Job[],
  done: readonly { readonly job: Job; readonly seconds: number }[],
  threads: number,
): number | undefined {
  const finished = new Set(done.map(({ job }) => job.key));
  let sum = 0;
  for (const { key, subject } of open) {
    if (finished.has(key)) continue;
    const alike = done.filter(({ job }) => job.subject.kind === subject.kind);
    if (alike.length === 0) return undefined;
    sum += alike.reduce((total, { seconds }) => total + seconds, 0) / alike.length;
  }
  return sum / threads;
}
