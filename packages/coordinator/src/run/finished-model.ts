/** The product of a run: its parameters as a model file. */

import { type Model, metaLayout } from "@mzsr/mzsr";
import type { Configuration } from "@mzsr/shared";
import { sha256OfFloats } from "../core/trainer.js";

/** The model that parameters in the run's layout are. */
export function finishedModel(configuration: Configuration, theta: Float32Array, run: string, step: number): Model {
  const { model, degradation, metaTraining } = configuration;
  const { entries, size } = metaLayout(model, metaTraining.innerSteps, metaTraining.learnedRates);
  const rates = entries.filter(({ name }) => name.startsWith("inner_rate/"));
  return {
    architecture: model,
    scale: degradation.scale,
    parameters: theta.slice(0, rates[0]?.offset ?? size),
    innerRates:
      rates.length === 0 ? undefined : rates.map(({ offset, size: length }) => theta.slice(offset, offset + length)),
    metadata: {
      run,
      step: String(step),
      theta_sha256: sha256OfFloats(theta),
      ...(configuration.initSha256 === undefined ? {} : { init_sha256: configuration.initSha256 }),
      configuration: JSON.stringify(configuration),
    },
  };
}
