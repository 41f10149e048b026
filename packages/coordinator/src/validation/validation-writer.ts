/**
 * Measures the models of a run on held-out images, one after the other in the order of their steps, and keeps the best one.
 *
 * Training comes first, and every model counts: what is to be measured waits on the disk (`WaitingModels`), so that which
 * steps are measured, and what comes out, does not depend on how fast that goes.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { chooseWeights, type Model, messageOf, readModel, writeModel } from "@mzsr/mzsr";
import type { Configuration, ValidationSummary } from "@mzsr/shared";
import { finishedModel } from "../run/finished-model.js";
import type { Measurement, ValidationComputer, ValidationKernel } from "./validation-computer.js";
import { summaryOfMeasurements } from "./validation-summary.js";
import { WaitingModels } from "./waiting-models.js";

export interface ValidationWriterOptions {
  readonly run: string;
  readonly configuration: Configuration;
  /** Folder of the models that wait. */
  readonly folder: string;
  /** File of the best model. */
  readonly bestModel: string;
  readonly images: readonly string[];
  readonly kernels: readonly ValidationKernel[];
  readonly computer: ValidationComputer;
  /** Step that the run goes on from; what waits of later ones is of a past that does not count. */
  readonly fromStep: number;
  /** Steps that were measured already. */
  readonly validated: readonly number[];
  /** Makes a result durable, and tells of it. */
  readonly onMeasured: (summary: ValidationSummary) => Promise<void>;
  readonly onWaiting: (models: number) => void;
  readonly onProblem: (reason: string) => void;
}

interface Best {
  readonly step: number;
  readonly psnr: number;
}

export class ValidationWriter {
  readonly #options: ValidationWriterOptions;
  readonly #models: WaitingModels;
  /** Steps that could not be measured; they are tried again when the run is resumed. */
  readonly #failed = new Set<number>();
  #best: Best | undefined;
  #adding: Promise<void> = Promise.resolve();
  #working: Promise<void> | undefined;
  /** More may wait than the work in progress has seen. */
  #more = false;
  #closed = false;

  private constructor(options: ValidationWriterOptions, models: WaitingModels, best: Best | undefined) {
    this.#options = options;
    this.#models = models;
    this.#best = best;
  }

  /** Goes on with what waits in the run folder. */
  static async open(options: ValidationWriterOptions): Promise<ValidationWriter> {
    const models = new WaitingModels(options.folder);
    await models.tidy();
    for (const step of await models.steps()) {
      if (step > options.fromStep || options.validated.includes(step)) await models.remove(step);
    }
    const writer = new ValidationWriter(options, models, await bestSoFar(options));
    writer.#begin();
    return writer;
  }

  /** Parameters after `step`, and their moving average if there is one. They must not change any more. */
  offer(step: number, theta: Float32Array, average: Float32Array | undefined): void {
    const { configuration, run, onProblem } = this.#options;
    this.#adding = this.#adding
      .then(() => this.#models.add(step, finishedModel(configuration, theta, run, step, average)))
      .then(() => this.#begin())
      .catch((thrown: unknown) => onProblem(`step ${step}: ${messageOf(thrown)}`));
  }

  /** Resolves when all that was offered stands on the disk. */
  async written(): Promise<void> {
    await this.#adding;
  }

  /** Measures what waits, without giving way any more. Resolves when nothing does, or `givenUp` is aborted. */
  async finish(givenUp: AbortSignal): Promise<void> {
    await this.#adding;
    if (givenUp.aborted || this.#working === undefined) return;
    this.#options.computer.hurry();
    const abort = once(givenUp, "abort");
    while (!givenUp.aborted && this.#working !== undefined) await Promise.race([this.#working, abort]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#adding;
    await this.#options.computer.close();
    await this.#working;
  }

  #begin(): void {
    this.#more = true;
    if (this.#closed || this.#working !== undefined) return;
    this.#working = this.#work()
      .catch((thrown: unknown) => this.#options.onProblem(messageOf(thrown)))
      .finally(() => {
        this.#working = undefined;
        if (this.#more) this.#begin();
      });
  }

  async #work(): Promise<void> {
    while (!this.#closed) {
      this.#more = false;
      const waiting = (await this.#models.steps()).filter((step) => !this.#failed.has(step));
      this.#options.onWaiting(waiting.length);
      const [step] = waiting;
      if (step === undefined) return;
      try {
        await this.#measure(step);
      } catch (thrown) {
        this.#failed.add(step);
        if (!this.#closed) this.#options.onProblem(`step ${step}: ${messageOf(thrown)}; --resume tries again`);
      }
    }
  }

  async #measure(step: number): Promise<void> {
    const { images, kernels, computer, configuration, onMeasured } = this.#options;
    const { updates, side } = configuration.validation;
    const whole = await this.#models.read(step);
    const model = chooseWeights(whole);
    const measured: { kernel: string; measurement: Measurement }[] = [];
    for (const kernel of kernels) {
      for (const image of images) {
        const measurement = await computer.compute({ model, image, side, kernel, updates });
        measured.push({ kernel: kernel.name, measurement });
      }
    }
    const weights = whole.ema === undefined ? "last" : "ema";
    const summary = summaryOfMeasurements(measured, { step, weights, images: images.length, updates });
    // In this order, so that one that is killed in between does the same again.
    await this.#keepIfBest(whole, summary);
    await onMeasured(summary);
    await this.#models.remove(step);
  }

  async #keepIfBest(model: Model, { step, psnr }: ValidationSummary): Promise<void> {
    const { configuration, bestModel } = this.#options;
    const found = { step, psnr: psnr.at(-1)! };
    if (!isBetter(found, this.#best)) return;
    const metadata = {
      ...model.metadata,
      validation_psnr: String(found.psnr),
      validation: settingsOf(configuration),
    };
    await writeModel(bestModel, { ...model, metadata });
    this.#best = found;
  }
}

/** A higher mean; of equal ones the earliest, in whatever order they come. */
function isBetter(found: Best, best: Best | undefined): boolean {
  return best === undefined || found.psnr > best.psnr || (found.psnr === best.psnr && found.step < best.step);
}

/**
 * The best model of the run so far; undefined when it was measured in another way. One of a step that is still to come is
 * deleted: the run gets there again, by a way that may be another.
 */
async function bestSoFar({ bestModel, fromStep, configuration }: ValidationWriterOptions): Promise<Best | undefined> {
  const model = await readModel(bestModel).catch(() => undefined);
  if (model === undefined) return undefined;
  const { step, validation, validation_psnr: psnr } = model.metadata;
  if (Number(step) > fromStep) {
    await rm(bestModel, { force: true });
    return undefined;
  }
  return validation === settingsOf(configuration) ? { step: Number(step), psnr: Number(psnr) } : undefined;
}

/** What decides whether two measurements can be compared. */
function settingsOf({ validation: { every: _, ...settings } }: Configuration): string {
  return JSON.stringify(settings);
}
