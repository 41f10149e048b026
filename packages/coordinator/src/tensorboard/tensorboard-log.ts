/**
 * The run as TensorBoard shows it: an event file for each life of the coordinator, in the run folder's `tensorboard`.
 *
 * A life begins with `SessionLog START` at its first step, which makes TensorBoard forget what an earlier life wrote of
 * that step and later ones. Training comes first: everything is written behind it, and the first failure (a full disk)
 * ends the writing, never the run. A picture that cannot be read is left out.
 */
import { messageOf } from "@mzsr/mzsr";
import type { PreviewImage } from "@mzsr/shared";
import type { MetricsLine, ValidationLine } from "../run/metrics-log.js";
import { EventFile } from "./event-file.js";
import { eventEncoding, type SummaryValue, type TensorBoardEvent } from "./event-schema.js";
import { type NamedPicture, picturesOf, psnrOf, readPicture, scalarsOf, validationScalars } from "./summaries.js";
import { recordFraming } from "./tf-record.js";

/** Events that are encoded in one go, and then written. */
const AT_ONCE = 200;

export interface TensorBoardOptions {
  /** Where the event files go; made if it is not there. */
  readonly folder: string;
  /** Where the pictures of previews stand. */
  readonly previews: string;
  /** The first step that this life of the coordinator does. */
  readonly nextStep: number;
  /** The steps before that and what was measured of them; asked for a folder that has no event file yet. */
  readonly earlier: () => Promise<readonly (MetricsLine | ValidationLine)[]>;
  readonly nowMs: () => number;
  /** Told once, when writing has ended for good. */
  readonly onProblem: (reason: string) => void;
  /** Told of the first picture that is left out. */
  readonly onSkipped: (reason: string) => void;
}

type Job = () => TensorBoardEvent | Promise<TensorBoardEvent>;

export class TensorBoardLog {
  readonly #options: TensorBoardOptions;
  readonly #encode = eventEncoding();
  readonly #record = recordFraming();
  /** Pictures that this life's file holds: most of a preview never changes. */
  readonly #shown = new Set<string>();
  #hasSkipped = false;
  #file: EventFile | undefined;
  #jobs: Job[] = [];
  #working: Promise<void> | undefined;
  #ended = false;

  /** Begins a file at once. */
  constructor(options: TensorBoardOptions) {
    this.#options = options;
    this.#begin();
  }

  step(line: MetricsLine): void {
    this.#add(() => lineEvent(line));
  }

  validation(line: ValidationLine): void {
    this.#add(() => lineEvent(line));
  }

  /** Shows the newest entry of each image, all of them made after `step`. */
  preview(step: number, images: readonly PreviewImage[]): void {
    const wallTime = this.#options.nowMs() / 1000;
    this.#add(async () => {
      const value = [...psnrOf(images), ...(await this.#newPictures(images))];
      return { wallTime, step, summary: { value } };
    });
  }

  /** Writes what waits, and closes the file. Never throws. */
  async close(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    this.#ended = true;
    await this.#file?.close().catch((thrown: unknown) => this.#options.onProblem(messageOf(thrown)));
  }

  #add(job: Job): void {
    if (this.#ended) return;
    this.#jobs.push(job);
    this.#begin();
  }

  #begin(): void {
    this.#working ??= this.#work()
      .catch((thrown: unknown) => {
        this.#ended = true;
        this.#jobs = [];
        this.#options.onProblem(messageOf(thrown));
      })
      .finally(() => {
        this.#working = undefined;
        if (this.#jobs.length > 0) this.#begin();
      });
  }

  async #work(): Promise<void> {
    const file = this.#file ?? (await this.#open());
    while (this.#jobs.length > 0) {
      const records: Uint8Array[] = [];
      for (const job of this.#jobs.splice(0, AT_ONCE)) records.push(this.#recordOf(await job()));
      await file.append(Buffer.concat(records));
    }
  }

  async #open(): Promise<EventFile> {
    const { folder, nowMs } = this.#options;
    const file = await EventFile.create(folder, nowMs());
    try {
      await this.#writeHead(file);
    } catch (thrown) {
      await file.discard().catch(() => undefined);
      throw thrown;
    }
    this.#file = file;
    return file;
  }

  /** Begins the file, and lets the steps that it lacks be written next. */
  async #writeHead(file: EventFile): Promise<void> {
    const { nextStep, nowMs } = this.#options;
    const wallTime = nowMs() / 1000;
    const earlier = file.isFirst ? await this.#options.earlier() : [];
    const head: TensorBoardEvent[] = [
      { wallTime, fileVersion: "brain.Event:2" },
      { wallTime, step: earlier[0]?.step ?? nextStep, sessionLog: { status: "START" } },
    ];
    await file.append(Buffer.concat(head.map((event) => this.#recordOf(event))));
    this.#jobs = [...earlier.map((line) => () => lineEvent(line)), ...this.#jobs];
  }

  #recordOf(event: TensorBoardEvent): Uint8Array {
    return this.#record(this.#encode(event));
  }

  async #newPictures(images: readonly PreviewImage[]): Promise<SummaryValue[]> {
    const values: SummaryValue[] = [];
    for (const picture of picturesOf(images)) {
      if (this.#shown.has(picture.file)) continue;
      const value = await this.#read(picture);
      if (value === undefined) continue;
      values.push(value);
      this.#shown.add(picture.file);
    }
    return values;
  }

  /** Undefined, said the first time, for a picture that cannot be read. */
  async #read(picture: NamedPicture): Promise<SummaryValue | undefined> {
    try {
      return await readPicture(this.#options.previews, picture);
    } catch (thrown) {
      if (!this.#hasSkipped) this.#options.onSkipped(`${picture.tag}: ${messageOf(thrown)}`);
      this.#hasSkipped = true;
      return undefined;
    }
  }
}

function lineEvent(line: MetricsLine | ValidationLine): TensorBoardEvent {
  const value = "kind" in line ? validationScalars(line) : scalarsOf(line);
  return { wallTime: Date.parse(line.time) / 1000, step: line.step, summary: { value } };
}
