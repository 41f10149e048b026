/** What every process of low priority does: give way, answer one problem after the other, end with its parent. */
import { writeFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { type Answer, HURRY, type Request } from "./messages.js";

/**
 * A tenth of the share of what trains. With the lowest priority of all, a machine that others keep busy would show nothing
 * for minutes.
 */
const PRIORITY = constants.priority.PRIORITY_BELOW_NORMAL;

/**
 * Answers problems until the parent is gone.
 * @param load brings what the problems are computed with: loading gives way, too
 */
export async function serve<Problem, Result>(
  load: () => Promise<(problem: Problem) => Promise<Result>>,
): Promise<void> {
  // A computation leaves this thread no time to notice that nobody waits any more.
  new Worker(new URL("./parent-watch.js", import.meta.url)).unref();
  if (!process.argv.includes(HURRY)) await giveWay();
  const compute = await load();
  let last = Promise.resolve();
  process.on("message", ({ id, problem }: Request<Problem>) => {
    last = last.then(async () => {
      const answer: Answer<Result> = await compute(problem).then(
        (result) => ({ id, result }),
        (thrown: unknown) => ({ id, reason: thrown instanceof Error ? thrown.message : String(thrown) }),
      );
      process.send!(answer);
    });
  });
  process.once("disconnect", () => process.exit());
}

/**
 * Linux may share processor time out among sessions first (sched(7), "The autogroup feature"), so that a priority counts
 * only inside of one. This process leads a session of its own, whose priority is therefore lowered too, where there is one.
 */
async function giveWay(): Promise<void> {
  setPriority(PRIORITY);
  await writeFile("/proc/self/autogroup", `${PRIORITY}`).catch(() => undefined);
}
