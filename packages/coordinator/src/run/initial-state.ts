/** Where a run begins, and what its data set is called. */
import {
  chooseWeights,
  Draws,
  decodeModel,
  InputError,
  initialParameters,
  LARGEST_MODEL_BYTES,
  type Model,
  metaLayout,
  parameterLayout,
  readInputFile,
} from "@mzsr/mzsr";
import { type Configuration, sha256Of } from "@mzsr/shared";
import { initialTrainingState, type TrainingState } from "../core/training-state.js";
import type { DatasetFile } from "../tasks/dataset.js";

/** First word of the stream that initial parameters are drawn from; tasks use 1 to 4. */
const INITIAL_STREAM = 0;

/** A model that a run starts from. */
export interface StartModel {
  readonly model: Model;
  /** Hex, of the file's bytes. */
  readonly sha256: string;
}

/**
 * The state before the first step: a function of the configuration alone, and of the model that it starts from.
 * @throws InputError when there is such a model and it is not usable
 */
export async function firstState(configuration: Configuration): Promise<TrainingState> {
  const { seed, model, metaTraining } = configuration;
  const rates = metaTraining.learnedRates ? metaTraining : undefined;
  const drawn = initialParameters(model, new Draws(seed, [INITIAL_STREAM, 0, 0]), rates);
  const start = await readStart(configuration);
  return initialTrainingState(start === undefined ? drawn : startingFrom(start.model, drawn, configuration));
}

/**
 * Reads the model that a configuration starts from.
 * @returns undefined for one that starts from random numbers
 * @throws InputError when it is missing, no model, of another network, or not the file that `initSha256` names
 */
export async function readStart({ init, initSha256, model }: Configuration): Promise<StartModel | undefined> {
  if (init === undefined) return undefined;
  const bytes = await readInputFile(init, "the model that the run starts from (init)", LARGEST_MODEL_BYTES);
  const sha256 = sha256Of(bytes);
  if (initSha256 !== undefined && sha256 !== initSha256) {
    throw new InputError(`is not the file that the configuration starts from: its SHA-256 is ${sha256}`, {
      where: init,
      expected: `${initSha256} (initSha256)`,
    });
  }
  const start = chooseWeights(decodeModel(bytes, init));
  const { depth, width } = start.architecture;
  if (depth !== model.depth || width !== model.width) {
    throw new InputError(`a network of depth ${depth} and width ${width}`, {
      where: init,
      expected: `depth ${model.depth} and width ${model.width}, or --set model.depth=${depth} --set model.width=${width}`,
    });
  }
  return { model: start, sha256 };
}

/**
 * The model's network, and its learned rates where the run learns some: the last inner step's for further ones, as in
 * adaptation. What the model lacks stays as `drawn`.
 */
function startingFrom(start: Model, drawn: Float32Array, { model, metaTraining }: Configuration): Float32Array {
  const theta = drawn.slice();
  theta.set(start.parameters);
  const { innerSteps, learnedRates } = metaTraining;
  if (!learnedRates || start.innerRates === undefined) return theta;
  const rates = metaLayout(model, innerSteps, true).entries.slice(parameterLayout(model).entries.length);
  for (const [step, { offset }] of rates.entries()) {
    theta.set(start.innerRates[Math.min(step, start.innerRates.length - 1)]!, offset);
  }
  return theta;
}

/** Digest of a data set's content: what tasks mean by "image 3". */
export function datasetDigest(images: readonly DatasetFile[]): string {
  return sha256Of(images.map(({ sha256 }) => sha256).join("\n"));
}
