/**
 * How a worker's process has behaved, and what follows from it. Counters alone, so that each lease that ends changes a
 * constant amount of state.
 *
 * A *failure* is a lease that was answered badly: a refused result, or a failure that the worker reported. STRIKES of them
 * among the newest RECENT_OUTCOMES answers put it into quarantine; on trial, one does.
 *
 * A lease is *unanswered* when another worker's result overtook it after it had become slow, or when it ran out of time.
 * That may be slowness, which is no fault, or silence, which is. To tell them apart the worker is put *on trial* after
 * UNANSWERED_LIMIT of them in a row: it is given nothing that anybody waits for, but copies of what others compute, one at a
 * time, and each may take twice as long as the one before. Whoever answers one was slow, and is back. Whoever lets
 * LONGEST_TRIAL of them lapse in a row answers nothing, and goes into quarantine.
 */

/** So many failures … */
export const STRIKES = 3;
/** … among so many answers in a row put a worker into quarantine. */
export const RECENT_OUTCOMES = 10;

/** So many unanswered leases in a row put a worker on trial … */
export const UNANSWERED_LIMIT = 3;
/**
 * … and so many unanswered copies on trial into quarantine: 63 lease deadlines in all, as each is twice the last. A worker
 * twenty times slower answers before, even where it cannot end what it was computing.
 */
export const LONGEST_TRIAL = 6;

/**
 * Why a worker is on trial: it did not answer; or it is a new process under a name whose last process is in quarantine, and
 * nothing is known of it yet.
 */
export type Trial = "unanswered" | "successor";

/** Of one incarnation of a worker. */
export interface RecentOutcomes {
  /** Newest answers, true for a failure. */
  readonly answers: boolean[];
  /** Leases since the last answer that were overtaken or ran out of time. */
  unanswered: number;
  /** Copies since the last answer that ran out of time. */
  lapsedTrials: number;
  trial: Trial | undefined;
}

export function newRecentOutcomes(trial?: Trial): RecentOutcomes {
  return { answers: [], unanswered: 0, lapsedTrials: 0, trial };
}

/** A result was admitted. True when that ends the worker's trial. */
export function noteResult(recentOutcomes: RecentOutcomes): boolean {
  remember(recentOutcomes, false);
  recentOutcomes.unanswered = 0;
  recentOutcomes.lapsedTrials = 0;
  // A successor is believed when somebody else has confirmed a result of it.
  return recentOutcomes.trial === "unanswered" && endTrial(recentOutcomes);
}

/** Another worker computed the same result. True when that ends the worker's trial. */
export function noteConfirmed(recentOutcomes: RecentOutcomes): boolean {
  return endTrial(recentOutcomes);
}

/** A lease was answered badly. True when the worker belongs in quarantine. */
export function noteFailure(recentOutcomes: RecentOutcomes): boolean {
  remember(recentOutcomes, true);
  recentOutcomes.unanswered = 0;
  recentOutcomes.lapsedTrials = 0;
  return recentOutcomes.trial !== undefined || recentOutcomes.answers.filter((failed) => failed).length >= STRIKES;
}

/** A lease was overtaken or ran out of time. True when the worker's trial begins. */
export function noteUnanswered(recentOutcomes: RecentOutcomes): boolean {
  recentOutcomes.unanswered++;
  if (recentOutcomes.trial !== undefined || recentOutcomes.unanswered < UNANSWERED_LIMIT) return false;
  recentOutcomes.trial = "unanswered";
  return true;
}

/** A copy given on trial ran out of time. True when the worker belongs in quarantine. */
export function noteLapsedTrial(recentOutcomes: RecentOutcomes): boolean {
  recentOutcomes.lapsedTrials++;
  return recentOutcomes.lapsedTrials >= LONGEST_TRIAL;
}

function endTrial(recentOutcomes: RecentOutcomes): boolean {
  const wasOnTrial = recentOutcomes.trial !== undefined;
  recentOutcomes.trial = undefined;
  return wasOnTrial;
}

function remember({ answers }: RecentOutcomes, failed: boolean): void {
  answers.push(failed);
  if (answers.length > RECENT_OUTCOMES) answers.shift();
}
