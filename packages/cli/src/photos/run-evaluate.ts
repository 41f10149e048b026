import { join } from "node:path";
import {
  InputError,
  type KernelEstimate,
  type Model,
  messageOf,
  type NetworkComputer,
  RunError,
  readImage,
  type WeightChoice,
} from "@mzsr/mzsr";
import { counted } from "../progress/numbers.js";
import { StepProgress } from "../progress/step-progress.js";
import type { Terminal } from "../progress/terminal.js";
import { type AdaptationLoss, lossLines, lossOf } from "./adaptation-loss.js";
import { evaluatePair, meanScores, type PhotoEvaluation, type Scores, testPair } from "./evaluate-photo.js";
import { finiteImage } from "./finite-image.js";
import {
  estimateInWords,
  type KernelOf,
  type KernelPlan,
  planKernel,
  plannedKernel,
  testKernels,
} from "./kernel-source.js";
import { photosIn, sizeToCompare } from "./photo-folder.js";
import { readModelFor } from "./read-model-for.js";
import { methodsOf, methodTitle, scoresTable } from "./scores-table.js";
import { type BackendChoice, useBackend } from "./use-backend.js";

export interface EvaluateOptions extends BackendChoice {
  readonly model: string;
  readonly images: string;
  readonly weights?: WeightChoice;
  readonly kernel: string;
  /** `auto` or a kernel that the model is adapted with instead of the one that the photos are degraded with. */
  readonly adaptWith?: string;
  readonly scale?: number;
  readonly updates: number[];
  readonly centerKernel?: boolean;
  readonly downsampling?: "direct" | "bicubic";
  /** Standard deviation, in grey levels. */
  readonly noise: number;
  /** Quality. */
  readonly jpeg?: number;
  readonly skipBad?: boolean;
  readonly json?: boolean;
}

/** What the evaluation of one photo gives. */
interface Row {
  readonly name: string;
  /** Of the kernel that the photo was degraded with. */
  readonly kernel: string;
  readonly scores: Scores;
  /** With `--adapt-with`: what another kernel than the true one costs. */
  readonly loss?: AdaptationLoss;
  readonly estimate?: KernelEstimate;
}

/** A photo without scores. */
interface Unscored {
  readonly name: string;
  readonly reason: string;
}

interface Outcome {
  readonly rows: Row[];
  /** Left out because they cannot be read, as the user wished. */
  readonly skipped: Unscored[];
  /** Those that failed. */
  readonly failed: Unscored[];
}

/** What every photo is evaluated with. */
interface Evaluation {
  readonly model: Model;
  readonly kernelOf: KernelOf;
  /** With `--adapt-with`. */
  readonly adaptation: KernelPlan | undefined;
  readonly computer: NetworkComputer;
  readonly options: EvaluateOptions;
  readonly terminal: Terminal;
}

/** Of the noise: photo i has seed i more. */
const NOISE_SEED = 1;
const LEVELS = 255;

/**
 * `mzsr evaluate`. A photo that fails costs the scores of no other.
 * @throws InputError before anything is computed; RunError, after the scores were printed, when a photo failed
 */
export async function runEvaluate(options: EvaluateOptions, terminal: Terminal): Promise<void> {
  const model = await readModelFor(options.model, options.scale, options.weights);
  const { scale } = model;
  const { kernelOf, downsampling, notes } = await testKernels(options.kernel, { ...options, scale });
  const { adaptWith } = options;
  const adaptation = adaptWith === undefined ? undefined : await planKernel(adaptWith, { ...options, downsampling });
  const { names, bad } = await photosIn(options.images, sizeToCompare(scale), options.skipBad === true);
  const { name: backend, computer, close } = await useBackend(options, (text) => terminal.note(text));
  terminal.note(
    `${counted(names.length, "image")}, kernel ${options.kernel} ${downsampling} ×${scale}${corruption(options)}, backend ${backend}`,
  );
  for (const { path, reason } of bad) terminal.note(`${path} was left out: ${reason}`);
  for (const note of notes) terminal.note(`${options.kernel}: ${note}`);
  const started = performance.now();
  const outcome = await evaluateAll(names, { model, kernelOf, adaptation, computer, options, terminal });
  close();
  const skipped = [...bad.map(({ path, reason }) => ({ name: path, reason })), ...outcome.skipped];
  const { rows, failed } = outcome;
  if (rows.length > 0) {
    const mean = meanScores(rows.map((row) => row.scores));
    if (options.json !== true) tableLines(rows, mean).forEach((line) => void terminal.line(line));
    else {
      terminal.json({
        model: options.model,
        kernel: options.kernel,
        ...(options.adaptWith === undefined ? {} : { adapt_with: options.adaptWith }),
        downsampling,
        scale,
        noise: options.noise,
        ...(options.jpeg === undefined ? {} : { jpeg: options.jpeg }),
        backend,
        images: rows.map(jsonRow),
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

function corruption({ noise, jpeg }: EvaluateOptions): string {
  return `${noise > 0 ? `, noise ${noise}/255` : ""}${jpeg === undefined ? "" : `, JPEG ${jpeg}`}`;
}

function tableLines(rows: readonly Row[], mean: Scores): string[] {
  const losses = rows.flatMap(({ name, loss }) => (loss === undefined ? [] : [{ name, loss }]));
  return [...scoresTable(rows, mean), ...(losses.length === 0 ? [] : ["", ...lossLines(losses)])];
}

function jsonRow({ name, kernel, scores, loss, estimate }: Row) {
  return {
    name,
    kernel,
    psnr_y: scores.psnrY,
    ssim_y: scores.ssimY,
    ...(loss === undefined ? {} : { loss_db: loss.loss, psnr_y_true_kernel: loss.withTrueKernel }),
    ...(estimate === undefined ? {} : { estimate: { ...estimate.shape, uncertainty: estimate.uncertainty } }),
  };
}

/** One photo after the other; what goes wrong with one is kept for the end. */
async function evaluateAll(names: readonly string[], evaluation: Evaluation): Promise<Outcome> {
  const { options, terminal } = evaluation;
  const outcome: Outcome = { rows: [], skipped: [], failed: [] };
  for (const [i, name] of names.entries()) {
    const progress = new StepProgress(terminal, `${name} (${i + 1} of ${names.length})`);
    try {
      outcome.rows.push(await rowOf(name, i, evaluation, progress));
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

async function rowOf(name: string, place: number, evaluation: Evaluation, progress: StepProgress): Promise<Row> {
  const { model, kernelOf, adaptation, computer, options, terminal } = evaluation;
  const photo = await readImage(join(options.images, name));
  const truth = kernelOf(place);
  const noise = { sigma: options.noise / LEVELS, seed: NOISE_SEED + place };
  const pair = await testPair(photo, model.scale, { ...truth, noise, jpeg: options.jpeg });
  const evaluate = async (choice: Pick<typeof truth, "kernel" | "downsampling">): Promise<PhotoEvaluation> => {
    const result = await evaluatePair(pair, model, {
      ...choice,
      ...{ computer, updates: options.updates },
      onStep: (step) => progress.show(step),
    });
    progress.done();
    for (const image of result.enlarged.values()) finiteImage(image, name);
    return result;
  };
  const known = await evaluate(truth);
  for (const note of photo.notes) terminal.note(`${name}: ${note}`);
  const row = { name, kernel: truth.kernel.name };
  if (adaptation === undefined) {
    tellScores(name, known, terminal);
    return { ...row, scores: scoresOf(known) };
  }
  const used = await plannedKernel(adaptation, pair.lr, model.scale);
  const scores = scoresOf(await evaluate(used));
  tellScores(name, scores, terminal);
  if (used.estimate !== undefined) terminal.note(`${name}: ${estimateInWords(used.estimate)}`);
  const estimate = used.estimate === undefined ? {} : { estimate: used.estimate };
  return { ...row, scores, loss: lossOf(scores, known), ...estimate };
}

function scoresOf({ psnrY, ssimY }: PhotoEvaluation): Scores {
  return { psnrY, ssimY };
}

/** At once, so that a command that is stopped has told what it found. */
function tellScores(name: string, scores: Scores, terminal: Terminal): void {
  const told = methodsOf(scores).map((method) => `${methodTitle(method)} ${scores.psnrY[method]!.toFixed(2)}`);
  terminal.note(`${name}: ${told.join(", ")} dB`);
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
