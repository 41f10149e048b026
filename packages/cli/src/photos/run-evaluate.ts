import { join } from "node:path";
import { InputError, type Model, messageOf, RunError, readImage, type WeightChoice } from "@mzsr/mzsr";
import { counted } from "../progress/numbers.js";
import { StepProgress } from "../progress/step-progress.js";
import type { Terminal } from "../progress/terminal.js";
import { evaluatePhoto, meanScores, type Scores } from "./evaluate-photo.js";
import { finiteImage } from "./finite-image.js";
import { chooseKernel, type KernelChoice } from "./kernel-choice.js";
import { photosIn } from "./photo-folder.js";
import { readModelFor } from "./read-model-for.js";
import { methodsOf, methodTitle, scoresTable } from "./scores-table.js";
import { useBackend } from "./use-backend.js";

export interface EvaluateOptions {
  readonly model: string;
  readonly images: string;
  readonly weights?: WeightChoice;
  readonly kernel: string;
  readonly scale?: number;
  readonly updates: number[];
  readonly centerKernel?: boolean;
  readonly downsampling?: "direct" | "bicubic";
  readonly skipBad?: boolean;
  readonly backend: string;
  readonly json?: boolean;
}

/** A photo without scores. */
interface Unscored {
  readonly name: string;
  readonly reason: string;
}

interface Outcome {
  readonly rows: { readonly name: string; readonly scores: Scores }[];
  /** Left out because they cannot be read, as the user wished. */
  readonly skipped: Unscored[];
  /** Those that failed. */
  readonly failed: Unscored[];
}

/**
 * `mzsr evaluate`. A photo that fails costs the scores of no other.
 * @throws InputError before anything is computed; RunError, after the scores were printed, when a photo failed
 */
export async function runEvaluate(options: EvaluateOptions, terminal: Terminal): Promise<void> {
  const choice = await chooseKernel(options.kernel, options.downsampling, options);
  const { kernel, downsampling } = choice;
  const model = await readModelFor(options.model, options.scale, options.weights);
  const { names, bad } = await photosIn(options.images, model.scale, options.skipBad === true);
  const backend = await useBackend(options.backend);
  terminal.note(
    `${counted(names.length, "image")}, kernel ${kernel.name} ${downsampling} ×${model.scale}, backend ${backend}`,
  );
  for (const { path, reason } of bad) terminal.note(`${path} was left out: ${reason}`);
  for (const note of kernel.notes) terminal.note(`${kernel.name}: ${note}`);
  const started = performance.now();
  const outcome = await evaluateAll(names, model, choice, options, terminal);
  const skipped = [...bad.map(({ path, reason }) => ({ name: path, reason })), ...outcome.skipped];
  const { rows, failed } = outcome;
  if (rows.length > 0) {
    const mean = meanScores(rows.map((row) => row.scores));
    if (options.json !== true) scoresTable(rows, mean).forEach((line) => void terminal.line(line));
    else {
      terminal.json({
        model: options.model,
        kernel: kernel.name,
        downsampling,
        scale: model.scale,
        backend,
        images: rows.map(({ name, scores }) => ({ name, psnr_y: scores.psnrY, ssim_y: scores.ssimY })),
        skipped,
        failed,
        psnr_y: mean.psnrY,
        ssim_y: mean.ssimY,
        seconds: (performance.now() - started) / 1000,
      });
    }
  }
  throwIfUnscored(outcome);
}

/** One photo after the other; what goes wrong with one is kept for the end. */
async function evaluateAll(
  names: readonly string[],
  model: Model,
  choice: KernelChoice,
  options: EvaluateOptions,
  terminal: Terminal,
): Promise<Outcome> {
  const outcome: Outcome = { rows: [], skipped: [], failed: [] };
  for (const [i, name] of names.entries()) {
    const progress = new StepProgress(terminal, `${name} (${i + 1} of ${names.length})`);
    try {
      outcome.rows.push({ name, scores: await scoresOf(name, model, choice, options, terminal, progress) });
    } catch (thrown) {
      progress.done();
      const path = join(options.images, name);
      const reason = thrown instanceof InputError && thrown.where === path ? thrown.what : messageOf(thrown);
      const leftOut = options.skipBad === true && thrown instanceof InputError;
      terminal.note(`${path} ${leftOut ? "was left out" : "failed"}: ${reason}`);
      outcome[leftOut ? "skipped" : "failed"].push({ name: path, reason });
    }
  }
  return outcome;
}

async function scoresOf(
  name: string,
  model: Model,
  { kernel, downsampling }: KernelChoice,
  options: EvaluateOptions,
  terminal: Terminal,
  progress: StepProgress,
): Promise<Scores> {
  const photo = await readImage(join(options.images, name));
  const { psnrY, ssimY, enlarged } = await evaluatePhoto(photo, model, {
    kernel,
    downsampling,
    updates: options.updates,
    onStep: (step) => progress.show(step),
  });
  progress.done();
  for (const note of photo.notes) terminal.note(`${name}: ${note}`);
  for (const image of enlarged.values()) finiteImage(image, name);
  const scores: Scores = { psnrY, ssimY };
  // At once, so that a command that is stopped has told what it found.
  const told = methodsOf(scores).map((method) => `${methodTitle(method)} ${psnrY[method]!.toFixed(2)}`);
  terminal.note(`${name}: ${told.join(", ")} dB`);
  return scores;
}

/** @throws RunError when a photo failed or none is left */
function throwIfUnscored({ rows, skipped, failed }: Outcome): void {
  if (failed.length === 0 && rows.length > 0) return;
  const unscored = failed.length > 0 ? failed : skipped;
  const images = rows.length + skipped.length + failed.length;
  const scores = rows.length > 0 ? "the scores are of the others" : "there are no scores";
  throw new RunError(`${unscored.length} of ${counted(images, "image")} could not be evaluated; ${scores}`, {
    items: unscored.map(({ name, reason }) => `${name}: ${reason}`),
  });
}
