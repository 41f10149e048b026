/** Waiting for NATS, neither for ever nor too short: a busy machine may take seconds for what takes a millisecond. */

import { setTimeout as delay } from "node:timers/promises";
import { messageOf, RunError } from "@mzsr/mzsr";
import { ErrorCode, NatsError } from "nats";

/** What NATS could not do is tried again for so long. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;
/** JetStream's code for "temporarily unavailable": its servers are choosing a leader. */
const UNAVAILABLE = 10_008;

/** Something took too long; it may succeed when it is tried again. */
export class LateError extends RunError {}

/**
 * What `work` gives, unless that takes too long: some of JetStream's operations wait for ever for what is gone.
 * @throws LateError after `seconds`
 */
export async function within<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError(`${what} took more than ${seconds} s`)), 1000 * seconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Does `work` again as long as only NATS was late or not ready, for a minute.
 * @param goOn asked before each further try; false ends the trying
 * @param onTrouble told why a try failed, once for each reason in a row
 * @throws what the last try threw
 */
export async function patiently<T>(
  work: () => Promise<T>,
  goOn: () => boolean,
  onTrouble: (reason: string) => void,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  let trouble = "";
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      if (!passes(thrown) || !goOn() || performance.now() > deadline) throw thrown;
      if (messageOf(thrown) !== trouble) onTrouble(messageOf(thrown));
      trouble = messageOf(thrown);
    }
    await delay(PAUSE_MS);
  }
}

function passes(thrown: unknown): boolean {
  if (thrown instanceof LateError) return true;
  if (!(thrown instanceof NatsError)) return false;
  return thrown.code === ErrorCode.Timeout || thrown.api_error?.err_code === UNAVAILABLE;
}
