/** Where a run begins, and what its data set is called. */
import { createHash } from "node:crypto";
import { Draws, initialParameters } from "@mzsr/mzsr";
import type { Configuration } from "@mzsr/shared";
import { initialTrainingState, type TrainingState } from "../core/training-state.js";
import type { DatasetFile } from "../tasks/dataset.js";

/** First word of the stream that initial parameters are drawn from; tasks use 1 to 4. */
const INITIAL_STREAM = 0;

/** The state before the first step: a function of the configuration alone. */
export function firstState({ seed, model, metaTraining }: Configuration): TrainingState {
  const draws = new Draws(seed, [INITIAL_STREAM, 0, 0]);
  return initialTrainingState(initialParameters(model, draws, metaTraining.learnedRates ? metaTraining : undefined));
}

/** Digest of a data set's content: what tasks mean by "image 3". */
export function datasetDigest(images: readonly DatasetFile[]): string {
  return createHash("sha256")
    .update(images.map(({ sha256 }) => sha256).join("\n"))
    .digest("hex");
}
