import { join } from "node:path";
import type { Measurement, ValidationOptions, ValidationProblem } from "@mzsr/coordinator";
import type { Configuration } from "@mzsr/shared";
import { ProcessComputer } from "../low-priority/process-computer.js";
import { heldOutPhotos } from "../photos/embedded-photos.js";
import { chooseKernel } from "../photos/kernel-choice.js";
import { photosIn, sizeToCompare } from "../photos/photo-folder.js";

/**
 * What a run is validated with; undefined for one that is not.
 * @throws InputError when an image or a kernel is not usable
 */
export async function validationOptions(configuration: Configuration): Promise<ValidationOptions | undefined> {
  const { every, images, kernels } = configuration.validation;
  if (every === 0) return undefined;
  return {
    images: await imagePaths(images, configuration.degradation.scale),
    kernels: await Promise.all(
      kernels.map(async (name) => {
        const { kernel, downsampling } = await chooseKernel(name);
        return { name, kernel: { size: kernel.size, data: kernel.data }, downsampling };
      }),
    ),
    computer: new ProcessComputer<ValidationProblem, Measurement>(
      new URL("./validation-process.js", import.meta.url),
      "validation",
      [configuration.backend],
    ),
  };
}

async function imagePaths(folder: string, scale: number): Promise<string[]> {
  if (folder === "embedded") return heldOutPhotos().map(({ path }) => path);
  return (await photosIn(folder, sizeToCompare(scale), false)).names.map((name) => join(folder, name));
}
