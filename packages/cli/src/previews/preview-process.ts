/** Entry of the preview process: adapts and enlarges on the embedded backend, giving way to everything else. */
import type { Preview, PreviewProblem } from "@mzsr/coordinator";
import { secondsSpent, serve } from "../low-priority/serve.js";

await serve(async () => {
  const { adapt, enlargeWith } = await import("@mzsr/mzsr");
  const { startBackend } = await import("@mzsr/worker");
  return async ({ model, lr, degradation, updates }: PreviewProblem): Promise<Preview> => {
    await startBackend("simd");
    const { parameters } = await adapt(model, lr, { degradation, updates });
    const before = await enlargeWith(model, lr);
    const adapted = await enlargeWith({ ...model, parameters }, lr);
    return { before, adapted, seconds: secondsSpent() };
  };
});
