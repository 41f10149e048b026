/** Entry of the preview thread: adapts and enlarges on the embedded backend, giving way to everything else. */
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import type { PreviewAnswer, PreviewRequest } from "./preview-messages.js";

/** Nice value: about a tenth of the share of a thread that trains. */
const NICE = 10;

const port = parentPort;
if (port === null) throw new Error("preview-thread.js is the entry of a worker thread");

// Linux counts priorities by thread; elsewhere this would slow the whole process down. Loading what follows gives way too.
if (process.platform === "linux") setPriority(NICE);
const { adapt, enlarge, messageOf } = await import("@mzsr/shared");
const { startBackend } = await import("@mzsr/worker");

async function answerTo({ id, problem }: PreviewRequest): Promise<PreviewAnswer> {
  const { model, lr, degradation, updates } = problem;
  try {
    const { parameters } = await adapt(model, lr, { degradation, updates });
    const before = await enlarge(model, lr);
    return { id, before, adapted: await enlarge({ ...model, parameters }, lr) };
  } catch (thrown) {
    return { id, reason: messageOf(thrown) };
  }
}

await startBackend("simd");
let last = Promise.resolve();
port.on("message", (request: PreviewRequest) => {
  last = last.then(async () => port.postMessage(await answerTo(request)));
});
