/** Entry of the validation process: measures models on the embedded backend, giving way to everything else. */
import type { Measurement, ValidationProblem } from "@mzsr/coordinator";
import { secondsSpent, serve } from "../low-priority/serve.js";

await serve(async () => {
  const { cropImage, readImage, structuredCrops } = await import("@mzsr/mzsr");
  const { startBackend } = await import("@mzsr/worker");
  const { BICUBIC, evaluatePhoto } = await import("../photos/evaluate-photo.js");
  return async ({
    model,
    image,
    side,
    kernel: { kernel, downsampling },
    updates,
  }: ValidationProblem): Promise<Measurement> => {
    await startBackend("simd");
    const photo = await readImage(image);
    const square = Math.min(side, photo.height, photo.width);
    const [corner] = square === 0 ? [] : structuredCrops(photo, square, 1);
    const hr = corner === undefined ? photo : cropImage(photo, corner.y, corner.x, square, square);
    const { psnrY } = await evaluatePhoto(hr, model, { kernel, downsampling, updates });
    return { bicubic: psnrY[BICUBIC]!, psnr: updates.map((count) => psnrY[count]!), seconds: secondsSpent() };
  };
});
