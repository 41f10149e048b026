/** Entry of the validation process: measures models, giving way to everything else. Its argument is the run's backend. */
import type { Measurement, ValidationProblem } from "@mzsr/coordinator";
import { serve } from "../low-priority/serve.js";

await serve(async () => {
  const { cropImage, readImage, structuredCrops } = await import("@mzsr/mzsr");
  const { BICUBIC, evaluatePhoto } = await import("../photos/evaluate-photo.js");
  const { PhotoComputing } = await import("../low-priority/photo-computing.js");
  const computing = new PhotoComputing(process.argv.slice(2));
  return async ({
    model,
    image,
    side,
    kernel: { kernel, downsampling },
    updates,
  }: ValidationProblem): Promise<Measurement> => {
    const photo = await readImage(image);
    const square = Math.min(side, photo.height, photo.width);
    const [corner] = square === 0 ? [] : structuredCrops(photo, square, 1);
    const hr = corner === undefined ? photo : cropImage(photo, corner.y, corner.x, square, square);
    const { result, seconds } = await computing.compute((computer) =>
      evaluatePhoto(hr, model, { kernel, downsampling, updates, computer }),
    );
    return { bicubic: result.psnrY[BICUBIC]!, psnr: updates.map((count) => result.psnrY[count]!), seconds };
  };
});
