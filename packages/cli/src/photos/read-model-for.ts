import { chooseWeights, InputError, type Model, readModel, type WeightChoice } from "@mzsr/mzsr";
import { modelFile } from "./model-path.js";

/**
 * Reads the model that a user names, by its file or its run's folder, and checks that it enlarges by the scale that the
 * user expects.
 * @param weights which of its parameters; not given: their moving average where there is one
 * @throws InputError
 */
export async function readModelFor(typed: string, scale: number | undefined, weights?: WeightChoice): Promise<Model> {
  const model = chooseWeights(await readModel(await modelFile(typed)), weights, typed);
  if (scale !== undefined && scale !== model.scale) {
    throw new InputError(`the model enlarges ${model.scale} times`, {
      where: typed,
      expected: `--scale ${model.scale}`,
    });
  }
  return model;
}
