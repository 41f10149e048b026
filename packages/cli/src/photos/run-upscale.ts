import { checkResultSize, encodePng, kernelFile, readImage, superResolve, type WeightChoice } from "@mzsr/mzsr";
import { checkOutputFile } from "../model-files/output-file.js";
import { counted, duration } from "../progress/numbers.js";
import { StepProgress } from "../progress/step-progress.js";
import type { Terminal } from "../progress/terminal.js";
import { finiteImage } from "./finite-image.js";
import { chooseKernel } from "./kernel-choice.js";
import { modelFile } from "./model-path.js";
import { readModelFor } from "./read-model-for.js";
import { useBackend } from "./use-backend.js";

export interface UpscaleOptions {
  readonly model: string;
  readonly weights?: WeightChoice;
  readonly kernel: string;
  readonly updates: number;
  readonly output: string;
  readonly centerKernel?: boolean;
  readonly downsampling?: "direct" | "bicubic";
  readonly backProjections: number;
  readonly backend: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `mzsr upscale`. Everything is checked before anything is computed. @throws InputError, RunError */
export async function runUpscale(path: string, options: UpscaleOptions, terminal: Terminal): Promise<void> {
  const output = await checkOutputFile(options.output, {
    extensions: [".png"],
    force: options.force === true,
    inputs: [path, await modelFile(options.model), kernelFile(options.kernel) ?? []].flat(),
  });
  const { kernel, downsampling } = await chooseKernel(options.kernel, options.downsampling, options);
  const model = await readModelFor(options.model, undefined, options.weights);
  const photo = await readImage(path);
  checkResultSize(photo, model.scale, path);
  for (const note of [...photo.notes.map((n) => `${path}: ${n}`), ...kernel.notes]) terminal.note(note);
  const backend = await useBackend(options.backend);
  const started = performance.now();
  const progress = new StepProgress(terminal, `${path}: ${photo.width}×${photo.height}, backend ${backend}`);
  const { image, adaptation } = await superResolve(model, photo, {
    degradation: { kernel, downsampling },
    updates: options.updates,
    backProjections: options.backProjections,
    onStep: (step) => progress.show(step),
  });
  progress.done();
  await output.write(await encodePng(finiteImage(image, path)));
  const seconds = (performance.now() - started) / 1000;
  if (options.json !== true) {
    terminal.line(
      `${output.path}: ${image.width}×${image.height} in ${duration(seconds)} (${counted(options.updates, "step")})`,
    );
    return;
  }
  const { width, height } = image;
  terminal.json({ output: output.path, width, height, backend, losses: adaptation.losses, seconds });
}
