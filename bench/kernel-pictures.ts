// Pictures for docs/photos.md: a part of a photo as its camera took it, and one that was blurred, enlarged with kernels from too narrow to
// too wide, side by side.
//
//   npm run build && node bench/run.mjs kernel-pictures --model runs/quickstart/model.safetensors --out docs/images

import { parseArgs } from "node:util";
import {
  createImage,
  cropImage,
  degrade,
  encodePhoto,
  enlarge,
  estimateKernel,
  gaussianKernel,
  type Image,
  interpolateInPlace,
  readImage,
  readModel,
  writeFileAtomically,
} from "@mzsr/mzsr";
import { setBackend } from "@tensorflow/tfjs-core";
import { heldOutPhotos } from "../packages/cli/src/photos/embedded-photos.js";
import "@mzsr/tfjs-backend-simd";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    model: { type: "string", default: "runs/quickstart/model.safetensors" },
    out: { type: "string", default: "docs/images" },
  },
});

/** What is adapted to, and the part of it that is shown, in pixels of the photo. */
const PHOTO = { top: 180, left: 250, height: 360, width: 480 };
const SHOWN = { top: 120, left: 170, height: 110, width: 110 };
const VARIANCES = [0.2, 2, 4] as const;

async function main(): Promise<void> {
  await setBackend("simd");
  const model = await readModel(options.model);
  const camera = await readImage(heldOutPhotos()[1]!.path);
  const { top, left, height, width } = PHOTO;
  const natural = cropImage(camera, top, left, height, width);
  const wide = gaussianKernel({ lambda1: 2, lambda2: 2, theta: 0 });
  const large = cropImage(camera, 0, 0, camera.height - (camera.height % 2), camera.width - (camera.width % 2));
  const blurred = degrade(large, { kernel: wide, scale: 2, downsampling: "direct" });
  await picture("kernels-camera", natural, SHOWN);
  await picture("kernels-blurred", blurred, { top: 140, left: 210, height: 110, width: 110 });

  async function picture(name: string, photo: Image, shown: typeof SHOWN): Promise<void> {
    const estimate = await estimateKernel(photo);
    console.log(name, estimate.shape, estimate.uncertainty);
    const kernels = [gaussianKernel({ lambda1: VARIANCES[0], lambda2: VARIANCES[0], theta: 0 }), estimate.kernel];
    for (const variance of VARIANCES.slice(1)) {
      kernels.push(gaussianKernel({ lambda1: variance, lambda2: variance, theta: 0 }));
    }
    const panels = [interpolateInPlace(photo, 2, "direct")];
    for (const kernel of kernels) panels.push((await enlarge(photo, { model, kernel })).image);
    const parts = panels.map((panel) =>
      cropImage(panel, 2 * shown.top, 2 * shown.left, 2 * shown.height, 2 * shown.width),
    );
    const { bytes } = await encodePhoto(sideBySide(parts), "jpeg", { quality: 88 });
    await writeFileAtomically(`${options.out}/${name}.jpg`, bytes);
  }
}

function sideBySide(parts: readonly Image[]): Image {
  const { height, width, channels } = parts[0]!;
  const gap = 4;
  const whole = createImage(height, parts.length * (width + gap) - gap, channels);
  whole.data.fill(1);
  parts.forEach(({ data }, i) => {
    for (let y = 0; y < height; y++) {
      const row = data.subarray(y * width * channels, (y + 1) * width * channels);
      whole.data.set(row, (y * whole.width + i * (width + gap)) * channels);
    }
  });
  return whole;
}

await main();
