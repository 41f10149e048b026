/** The smallest run that has everything: two stages, learned rates, two images of noise. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createImage, Draws, writePng } from "@mzsr/mzsr";
import { type Configuration, configurationSchema } from "@mzsr/shared";

/** Small enough that a step takes milliseconds. */
export function smallConfiguration(changes: Record<string, unknown> = {}): Configuration {
  const base = {
    backend: "cpu",
    model: { depth: 2, width: 4 },
    patches: { stride: 16 },
    pretraining: { steps: 2, batch: 2, tasks: 2, patchSize: 16 },
    metaTraining: {
      steps: 4,
      tasks: 3,
      support: 1,
      query: 1,
      patchSize: 16,
      innerSteps: 2,
      learnedRates: true,
    },
    cluster: { auditShare: 0 },
    checkpoints: { every: 2, keep: 2 },
  };
  return configurationSchema.parse(merge(base, changes));
}

/** Writes the images of a small run; the same bytes every time. */
export async function smallImages(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths = [0, 1].map((i) => join(folder, `noise-${i}.png`));
  for (const [i, path] of paths.entries()) {
    const image = createImage(40, 48, 3);
    const draws = new Draws(7, [i, 0, 0]);
    image.data.forEach((_, at) => {
      image.data[at] = draws.uniform(0, 1);
    });
    await writePng(path, image);
  }
  return paths;
}

function merge(base: Record<string, unknown>, changes: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(changes)) {
    const old = base[key];
    merged[key] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
