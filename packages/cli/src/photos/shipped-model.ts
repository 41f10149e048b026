/** The models that come with the program, each a package of data: `@mzsr/model-x2` for ×2. */
import { createRequire } from "node:module";
import { InputError } from "@mzsr/mzsr";

/** Of the only one there is. */
export const SHIPPED_SCALE = 2;

const EXPECTED = "model.safetensors, or the folder of a finished run";

/**
 * The file of the model that comes with the program.
 * @param resolve finds a package's file; that of Node where not given
 * @throws InputError where there is none for this scale, or its package is not installed
 */
export function shippedModel(scale: number, resolve = createRequire(import.meta.url).resolve): string {
  const name = packageOf(scale);
  if (scale !== SHIPPED_SCALE) {
    throw new InputError(`is missing, and no model for ×${scale} comes with the program`, {
      where: "--model",
      expected: EXPECTED,
    });
  }
  try {
    return resolve(`${name}/model.safetensors`);
  } catch {
    throw new InputError(`is missing, and ${name} is not installed`, {
      where: "--model",
      expected: `${EXPECTED}; or npm install ${name}`,
    });
  }
}

/** What a user is told that was taken. */
export function packageOf(scale: number): string {
  return `@mzsr/model-x${scale}`;
}
