/** Entry of the preview process: adapts and enlarges, giving way to everything else. Its argument is the run's backend. */
import type { Preview, PreviewProblem } from "@mzsr/coordinator";
import { serve } from "../low-priority/serve.js";

await serve(async () => {
  const { adapt, enlargeWith } = await import("@mzsr/mzsr");
  const { PhotoComputing } = await import("../low-priority/photo-computing.js");
  const computing = new PhotoComputing(process.argv.slice(2));
  return async ({ model, lr, degradation, updates }: PreviewProblem): Promise<Preview> => {
    const { result, seconds } = await computing.compute(async (computer) => {
      const { parameters } = await adapt(model, lr, { degradation, updates, computer });
      const before = await enlargeWith(model, lr, { computer });
      return { before, adapted: await enlargeWith({ ...model, parameters }, lr, { computer }) };
    });
    return { ...result, seconds };
  };
});
