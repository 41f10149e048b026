import { InputError, type Model, readModel } from "@mzsr/mzsr";
import { modelFile } from "./model-path.js";

/**
 * Reads the model that a user names, by its file or its run's folder, and checks that it enlarges by the scale that the
 * user expects.
 * @throws InputError
 */
export async function readModelFor(typed: string, scale: number | undefined): Promise<Model> {
  const model = await readModel(await modelFile(typed));
  if (scale !== undefined && scale !== model.scale) {
    throw new InputError(`the model enlarges ${model.scale} times`, {
      where: typed,
      expected: `--scale ${model.scale}`,
    });
  }
  return model;
}
