import { setTimeout as delay } from "node:timers/promises";

const PAUSE_MS = 100;

/**
 * Asks until there is an answer other than undefined. For conditions of other programs that tell nobody when they change.
 * @param what said when the time is up
 */
export async function poll<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 1000 * seconds; Date.now() < deadline; await delay(PAUSE_MS)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

/** Waits until something holds; gives up with an error after a minute. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  await poll(what, 60, async () => (await holds()) || undefined);
}
