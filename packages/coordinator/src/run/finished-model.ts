/** The product of a run: its parameters as a model file. */

import { type Model, type ModelParameters, metaLayout } from "@mzsr/mzsr";
import type { Configuration } from "@mzsr/shared";
import { sha256OfFloats } from "../core/trainer.js";

/** The model that parameters in the run's layout are. @param average their moving average, where the run keeps one */
export function finishedModel(
  configuration: Configuration,
  theta: Float32Array,
  run: string,
  step: number,
  average?: Float32Array,
): Model {
  const { initSha256, degradation } = configuration;
  const { scale, scales } = degradation;
  return {
    architecture: configuration.model,
    scale,
    ...(scales && { scales }),
    ...modelParameters(configuration, theta),
    ...(average === undefined ? {} : { ema: modelParameters(configuration, average) }),
    metadata: {
      run,
      step: String(step),
      theta_sha256: sha256OfFloats(theta),
      ...(average === undefined ? {} : { ema_sha256: sha256OfFloats(average) }),
      ...(initSha256 === undefined ? {} : { init_sha256: initSha256 }),
      configuration: JSON.stringify(configuration),
    },
  };
}

function modelParameters({ model, metaTraining }: Configuration, theta: Float32Array): ModelParameters {
  const { entries, size } = metaLayout(model, metaTraining.innerSteps, metaTraining.learnedRates);
  const rates = entries.filter(({ name }) => name.startsWith("inner_rate/"));
  return {
    parameters: theta.slice(0, rates[0]?.offset ?? size),
    innerRates:
      rates.length === 0 ? undefined : rates.map(({ offset, size: length }) => theta.slice(offset, offset + length)),
  };
}
