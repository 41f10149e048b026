/**
 * Pictures of held-out photos while a run goes on: now and then, the newest parameters are adapted to each subject.
 *
 * Training comes first. The computing happens elsewhere (`PreviewComputer`, which gives way to the workers), one preview
 * at a time, and after one that took t seconds of processor time the next begins no sooner than t / SHARE_OF_TIME later;
 * parameters that come in between are replaced by newer ones.
 */
import { once } from "node:events";
import { type DegradationOptions, type Image, type Model, messageOf, psnrY } from "@mzsr/mzsr";
import type { Configuration, PreviewEntry, PreviewImage } from "@mzsr/shared";
import { finishedModel } from "../run/finished-model.js";
import { hasPreview, readPreviews, removeForgotten, withEntry, writePicture, writePreviews } from "./preview-files.js";
import type { PreviewSubject } from "./preview-subject.js";

/** Gradient steps of a preview's adaptation, as in the paper's meta-test. */
const UPDATES = 10;
const SHARE_OF_TIME = 0.05;

/** One adaptation, to be computed by another thread or process. */
export interface PreviewProblem {
  readonly model: Model;
  readonly lr: Image;
  readonly degradation: DegradationOptions;
  readonly updates: number;
}

export interface Preview {
  /** The LR image enlarged by the model as it is. */
  readonly before: Image;
  /** The LR image enlarged after the adaptation. */
  readonly adapted: Image;
  /** Processor time that this took, s. */
  readonly seconds: number;
}

export interface PreviewComputer {
  compute(problem: PreviewProblem): Promise<Preview>;
  /** Training is over: from now on, and for what waits already, nothing has to be given way to. */
  hurry(): void;
  close(): Promise<void>;
}

export interface PreviewWriterOptions {
  readonly run: string;
  /** The run's folder for previews. */
  readonly folder: string;
  readonly configuration: Configuration;
  /** Asked once, for the first preview: reading photos must not hold up a coordinator that takes a run over. */
  readonly subjects: () => Promise<readonly PreviewSubject[]>;
  readonly computer: PreviewComputer;
  readonly nowMs: () => number;
  /** Told of all pictures; the newest entry of each is the step's. */
  readonly onWritten: (step: number, images: readonly PreviewImage[]) => void;
  readonly onProblem: (reason: string) => void;
}

interface Offer {
  readonly step: number;
  readonly theta: Float32Array;
}

export class PreviewWriter {
  readonly #options: PreviewWriterOptions;
  #subjects: Promise<readonly PreviewSubject[]> | undefined;
  #newest: Offer | undefined;
  #working: Promise<void> | undefined;
  #notBeforeMs = -Infinity;
  #closed = false;

  constructor(options: PreviewWriterOptions) {
    this.#options = options;
  }

  /** Parameters after `step` that a preview may be made of. They must not change any more. */
  offer(step: number, theta: Float32Array): void {
    this.#newest = { step, theta };
    if (this.#options.nowMs() >= this.#notBeforeMs) this.#begin();
  }

  /**
   * Makes the preview of a run's last parameters, if the folder lacks it, without giving way any more.
   * @returns whether the folder has it; false as soon as `deadline` is aborted, or when it failed
   */
  async finish(step: number, theta: Float32Array, deadline: AbortSignal): Promise<boolean> {
    this.#options.computer.hurry();
    const made = this.#makeMissing({ step, theta }).then(() => hasPreview(this.#options.folder, step));
    return deadline.aborted ? false : Promise.race([made, once(deadline, "abort").then(() => false)]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#options.computer.close();
    await this.#working;
  }

  async #makeMissing(last: Offer): Promise<void> {
    this.#newest = undefined;
    await this.#working;
    if (await hasPreview(this.#options.folder, last.step)) return;
    this.#newest = last;
    this.#begin();
    await this.#working;
  }

  #begin(): void {
    const offer = this.#newest;
    if (offer === undefined || this.#closed || this.#working !== undefined) return;
    this.#newest = undefined;
    this.#working = this.#make(offer)
      .catch((thrown: unknown) => {
        if (!this.#closed) this.#options.onProblem(messageOf(thrown));
      })
      .finally(() => {
        this.#working = undefined;
      });
  }

  async #make({ step, theta }: Offer): Promise<void> {
    const { configuration, run, folder, nowMs, onWritten } = this.#options;
    const model = finishedModel(configuration, theta, run, step);
    this.#subjects ??= this.#options.subjects();
    const subjects = await this.#subjects;
    const before = await readPreviews(folder);
    const images: PreviewImage[] = [];
    let spentSeconds = 0;
    for (const subject of subjects) {
      const known = before.find(({ name }) => name === subject.name)?.entries ?? [];
      const { entry, seconds } = await this.#entry(subject, model, step);
      images.push(pictureOf(subject, withEntry(known, entry)));
      spentSeconds += seconds;
    }
    this.#notBeforeMs = nowMs() + (1000 * spentSeconds) / SHARE_OF_TIME;
    if (this.#closed) return;
    await writePreviews(folder, images);
    await removeForgotten(folder, entriesOf(before), entriesOf(images));
    onWritten(step, images);
  }

  async #entry(subject: PreviewSubject, model: Model, step: number) {
    const { computer, folder } = this.#options;
    const { name, lr, hr, bicubic, degradation, scale } = subject;
    const { before, adapted, seconds } = await computer.compute({ model, lr, degradation, updates: UPDATES });
    const write = (kind: string, image: Image) => writePicture(folder, `${name}-${kind}`, image);
    const entry: PreviewEntry = {
      step,
      files: {
        lr: await write("lr", lr),
        bicubic: await write("bicubic", bicubic),
        adapted: await write(`step-${step}`, adapted),
        hr: await write("hr", hr),
      },
      psnr: {
        bicubic: rounded(subject.bicubicPsnr),
        before: rounded(psnrY(hr, before, scale)),
        adapted: rounded(psnrY(hr, adapted, scale)),
      },
    };
    return { entry, seconds };
  }
}

function pictureOf({ name, scale, downsampling, kernel }: PreviewSubject, entries: PreviewEntry[]): PreviewImage {
  const values = Array.from(kernel.data, (value) => Number(value.toPrecision(6)));
  return { name, scale, updates: UPDATES, downsampling, kernel: { size: kernel.size, values }, entries };
}

function entriesOf(images: readonly PreviewImage[]): PreviewEntry[] {
  return images.flatMap(({ entries }) => entries);
}

function rounded(decibels: number): number {
  return Math.round(1e4 * decibels) / 1e4;
}
