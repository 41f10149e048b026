/**
 * When a task cannot be computed, so that the run ends with the reason instead of trying for ever. A worker that fails is
 * no proof: it may be the one that is broken, whatever number of names it comes under. Proof is
 *
 * 1. that workers whose other results are accepted fail at it: HOPELESS_FAILURES times, or HOPELESS_WORKERS of them while
 *    nobody is there who has not tried;
 * 2. that nobody's results are accepted at all: so many failures, for as long as the first quarantine lasts, and nobody is
 *    there who has not tried; or for ten times as long, whoever is there.
 *
 * Where results of others are accepted and only workers without any fail, the run waits for a better worker, as it does
 * when there is none.
 */
export const HOPELESS_WORKERS = 3;
export const HOPELESS_FAILURES = 12;

/** Rule 2 waits this many times the patience for a silent worker … */
const NOTHING_ACCEPTED = 6;
/** … and this many when somebody is there who has not failed yet. */
const NOTHING_ACCEPTED_UNTRIED = 60;

export interface FailedTask {
  /** Workers that failed at the task, in order, with repetitions. */
  readonly failures: readonly string[];
  /** Of these, the ones whose other results have been accepted. */
  readonly credible: ReadonlySet<string>;
  /** A worker is there that may be given the task and has not failed at it. */
  readonly untried: boolean;
  /** Any result of anybody was accepted in this life of the coordinator. */
  readonly anyAccepted: boolean;
  /** Since the first failure at the task, in multiples of the patience for a silent worker. */
  readonly patiences: number;
}

export function isHopeless({ failures, credible, untried, anyAccepted, patiences }: FailedTask): boolean {
  const credibleFailures = failures.filter((worker) => credible.has(worker)).length;
  if (credibleFailures >= HOPELESS_FAILURES) return true;
  if (credible.size >= HOPELESS_WORKERS && !untried) return true;
  if (anyAccepted) return false;
  const many = new Set(failures).size >= HOPELESS_WORKERS || failures.length >= HOPELESS_FAILURES;
  return many && patiences >= (untried ? NOTHING_ACCEPTED_UNTRIED : NOTHING_ACCEPTED);
}
