/** A run so small that a step takes milliseconds, and so long that no test sees its end. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { smallImages } from "./small-run.js";

const CONFIGURATION = `
backend: simd
model: { depth: 2, width: 4 }
patches: { stride: 16 }
pretraining: { steps: 3, batch: 2, tasks: 2, patchSize: 16 }
metaTraining: { steps: 1000000, tasks: 3, support: 1, query: 1, patchSize: 16, innerSteps: 2, learnedRates: true }
cluster: { patience: 4, auditShare: 0.5 }
checkpoints: { every: 200, keep: 2 }
`;

/** Writes images of noise and a configuration. Returns the arguments that `mzsr coordinator` needs to train on them. */
export async function tinyRun(folder: string, run = "tiny"): Promise<string[]> {
  const images = join(folder, "images");
  await smallImages(images);
  const config = join(folder, "config.yaml");
  await writeFile(config, CONFIGURATION);
  return ["--config", config, "--data", images, "--run", join(folder, "runs", run)];
}
