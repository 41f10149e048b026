/** Entry of the preview process: adapts and enlarges on the embedded backend, giving way to everything else. */
import { writeFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { HURRY, type PreviewAnswer, type PreviewRequest } from "./preview-messages.js";

/**
 * A tenth of the share of what trains. With the lowest priority of all, a machine that others keep busy would show no
 * picture for minutes; how much of the processor previews take altogether is bounded by their pace.
 */
const PRIORITY = constants.priority.PRIORITY_BELOW_NORMAL;

// A computation leaves this thread no time to notice that nobody waits any more.
new Worker(new URL("./parent-watch.js", import.meta.url)).unref();
// Loading what is needed gives way too.
if (!process.argv.includes(HURRY)) await giveWay();
const { adapt, enlarge, messageOf } = await import("@mzsr/mzsr");
const { startBackend } = await import("@mzsr/worker");

/**
 * Linux may share processor time out among sessions first (sched(7), "The autogroup feature"), so that a priority counts
 * only inside of one. This process leads a session of its own, whose priority is therefore lowered too, where there is one.
 */
async function giveWay(): Promise<void> {
  setPriority(PRIORITY);
  await writeFile("/proc/self/autogroup", `${PRIORITY}`).catch(() => undefined);
}

let toldSeconds = 0;

/** Processor time since it was last asked for, s. */
function secondsSpent(): number {
  const { user, system } = process.cpuUsage();
  const before = toldSeconds;
  toldSeconds = (user + system) / 1e6;
  return toldSeconds - before;
}

async function answerTo({ id, problem }: PreviewRequest): Promise<PreviewAnswer> {
  const { model, lr, degradation, updates } = problem;
  try {
    await startBackend("simd");
    const { parameters } = await adapt(model, lr, { degradation, updates });
    const before = await enlarge(model, lr);
    const adapted = await enlarge({ ...model, parameters }, lr);
    return { id, preview: { before, adapted, seconds: secondsSpent() } };
  } catch (thrown) {
    return { id, reason: messageOf(thrown) };
  }
}

let last = Promise.resolve();
process.on("message", (request: PreviewRequest) => {
  last = last.then(async () => {
    process.send!(await answerTo(request));
  });
});
process.once("disconnect", () => process.exit());
