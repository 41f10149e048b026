import { InputError, type Model, readModel } from "@mzsr/shared";

/**
 * Reads a model and checks that it enlarges by the scale that the user expects.
 * @throws InputError
 */
export async function readModelFor(path: string, scale: number | undefined): Promise<Model> {
  const model = await readModel(path);
  if (scale !== undefined && scale !== model.scale) {
    throw new InputError(`the model enlarges ${model.scale} times`, {
      where: path,
      expected: `--scale ${model.scale}`,
    });
  }
  return model;
}
