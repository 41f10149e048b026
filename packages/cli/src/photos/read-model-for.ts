import { chooseScale, chooseWeights, type Model, readModel, type WeightChoice } from "@mzsr/mzsr";
import { modelFile } from "./model-path.js";

/**
 * Reads the model that a user names, by its file or its run's folder, and chooses the scale that the user wants, if it
 * was trained for that.
 * @param weights which of its parameters; not given: their moving average where there is one
 * @throws InputError
 */
export async function readModelFor(typed: string, scale: number | undefined, weights?: WeightChoice): Promise<Model> {
  const model = chooseWeights(await readModel(await modelFile(typed)), weights, typed);
  return scale === undefined ? model : chooseScale(model, scale, typed);
}
