import { basename, join } from "node:path";
import { chooseWeights, readModel } from "@mzsr/mzsr";
import { loadConfiguration } from "@mzsr/shared";
import { readSteps } from "../cluster/read-steps.js";
import { heldOutPhotos } from "../photos/embedded-photos.js";
import { chooseKernel } from "../photos/kernel-choice.js";
import { useBackend } from "../photos/use-backend.js";
import type { Terminal } from "../progress/terminal.js";
import { writeReport } from "./write-report.js";

/**
 * Evaluates a finished run on the held-out photos, writes its report, and prints the table and where to look.
 * @throws InputError, RunError
 */
export async function reportOnRun(folder: string, kernelName: string, terminal: Terminal): Promise<void> {
  const configuration = await loadConfiguration({ file: join(folder, "config.yaml") });
  const model = chooseWeights(await readModel(join(folder, "model.safetensors")));
  const steps = await readSteps(folder);
  const backend = await useBackend(configuration, (text) => terminal.note(text));
  const report = await writeReport(join(folder, "report"), {
    run: basename(folder),
    model,
    configuration,
    choice: await chooseKernel(kernelName),
    photos: heldOutPhotos(),
    backend,
    losses: steps,
    trainingSeconds: steps.reduce((sum, step) => sum + step.seconds, 0),
    onPhoto: (name) => terminal.note(`Evaluating ${name}`),
  });
  backend.close();
  for (const line of ["", ...report.table, "", `Report: ${report.page}`]) terminal.line(line);
}
