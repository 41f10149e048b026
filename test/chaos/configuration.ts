/** What the campaign trains: two stages, learned rates and audits, in steps of some 50 ms. */
import { type Configuration, configurationSchema } from "@mzsr/shared";

export const PRETRAINING_STEPS = 30;
/** More than any campaign reaches; the end is set when the faults are over. */
const ENDLESS = 1_000_000;

/** @param data folder of images */
export function campaignConfiguration(data: string, seed: number, metaSteps = ENDLESS): Configuration {
  return configurationSchema.parse({
    seed,
    backend: "simd",
    data,
    model: { depth: 4, width: 16 },
    patches: { stride: 8 },
    pretraining: { steps: PRETRAINING_STEPS, batch: 4, tasks: 4, patchSize: 32 },
    metaTraining: {
      steps: metaSteps,
      tasks: 4,
      support: 2,
      query: 2,
      patchSize: 32,
      innerSteps: 2,
      learnedRates: true,
    },
    // Three seconds of silence are too many: the longer freezes are given up, the shorter ones are not.
    cluster: { patience: 3, auditShare: 0.05 },
    checkpoints: { every: 10, keep: 3 },
  });
}
