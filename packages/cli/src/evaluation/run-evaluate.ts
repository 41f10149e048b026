import { join } from "node:path";
import { InputError, listImages, readImage } from "@mzsr/shared";
import type { EvaluateOptions } from "../commands/evaluate.js";
import { useBackend } from "../compute/use-backend.js";
import { counted } from "../progress/numbers.js";
import { StepProgress } from "../progress/step-progress.js";
import type { Terminal } from "../terminal/terminal.js";
import { evaluatePhoto, meanScores, type Scores } from "./evaluate-photo.js";
import { finiteImage } from "./finite-image.js";
import { chooseKernel } from "./kernel-choice.js";
import { readModelFor } from "./read-model-for.js";
import { scoresTable } from "./scores-table.js";

/** `mzsr evaluate`. @throws InputError, RunError */
export async function runEvaluate(options: EvaluateOptions, terminal: Terminal): Promise<void> {
  const { kernel, downsampling } = await chooseKernel(options.kernel, options.downsampling);
  const model = await readModelFor(options.model, options.scale);
  const names = await listImages(options.images);
  const backend = await useBackend(options.backend);
  terminal.note(
    `${counted(names.length, "image")}, kernel ${kernel.name} ${downsampling} ×${model.scale}, backend ${backend}`,
  );
  for (const note of kernel.notes) terminal.note(`${kernel.name}: ${note}`);
  const started = performance.now();
  const rows: { name: string; scores: Scores }[] = [];
  for (const name of names) {
    const photo = await readImage(join(options.images, name));
    for (const note of photo.notes) terminal.note(`${name}: ${note}`);
    checkSize(photo.height, photo.width, model.scale, join(options.images, name));
    const progress = new StepProgress(terminal, `${name} (${rows.length + 1} of ${names.length})`);
    const { psnrY, ssimY, enlarged } = await evaluatePhoto(photo, model, {
      kernel,
      downsampling,
      updates: options.updates,
      onStep: (step) => progress.show(step),
    });
    progress.done();
    for (const image of enlarged.values()) finiteImage(image, name);
    rows.push({ name, scores: { psnrY, ssimY } });
  }
  const mean = meanScores(rows.map((row) => row.scores));
  if (options.json !== true) return scoresTable(rows, mean).forEach((line) => void terminal.line(line));
  terminal.json({
    model: options.model,
    kernel: kernel.name,
    downsampling,
    scale: model.scale,
    backend,
    images: rows.map(({ name, scores }) => ({ name, psnr_y: scores.psnrY, ssim_y: scores.ssimY })),
    psnr_y: mean.psnrY,
    ssim_y: mean.ssimY,
    seconds: (performance.now() - started) / 1000,
  });
}

/** SSIM's window must fit into what shaving leaves. */
const SMALLEST_RESULT = 32;

function checkSize(height: number, width: number, scale: number, where: string): void {
  if (Math.min(height, width) >= SMALLEST_RESULT * scale) return;
  throw new InputError(`${width}×${height} pixels are too few to degrade and compare`, {
    where,
    expected: `at least ${SMALLEST_RESULT * scale} a side for ×${scale}`,
  });
}
