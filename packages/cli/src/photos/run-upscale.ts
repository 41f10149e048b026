import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import {
  IMAGE_FORMATS,
  type ImageFormat,
  InputError,
  imageFormatOf,
  kernelFile,
  OUTPUT_EXTENSIONS,
  reasonOf,
  type WeightChoice,
} from "@mzsr/mzsr";
import { checkOutputFile } from "../model-files/output-file.js";
import { counted } from "../progress/numbers.js";
import type { Terminal } from "../progress/terminal.js";
import { planKernel } from "./kernel-source.js";
import { modelFile } from "./model-path.js";
import { readModelFor } from "./read-model-for.js";
import { packageOf, shippedModel } from "./shipped-model.js";
import { COMPARISON_FORMATS } from "./upscale/comparison.js";
import type { EnlargeSettings, PhotoTask } from "./upscale/enlarge-file.js";
import { enlargeHere } from "./upscale/enlarge-here.js";
import { DEFAULT_UPDATES, type MethodName } from "./upscale/methods.js";
import { PhotoComputers } from "./upscale/photo-computers.js";
import { findPhotos, STANDARD_STREAM } from "./upscale/photo-inputs.js";
import { type PlannedPhoto, planOutputs, resultFolder } from "./upscale/photo-outputs.js";
import { enlargeInThreads } from "./upscale/photo-threads.js";
import { UpscaleReport } from "./upscale/upscale-report.js";
import { type BackendChoice, backendName } from "./use-backend.js";

export interface UpscaleOptions extends BackendChoice {
  readonly method: MethodName;
  readonly model?: string;
  readonly weights?: WeightChoice;
  readonly scale?: number;
  readonly kernel: string;
  /** Default: what suits the method. */
  readonly updates?: number;
  readonly noise: number;
  readonly backProjection: number;
  readonly centerKernel?: boolean;
  readonly downsampling?: "direct" | "bicubic";
  readonly output?: string;
  readonly format?: ImageFormat;
  readonly quality?: number;
  readonly compare?: string;
  readonly recursive?: boolean;
  readonly jobs: number;
  /** Default: all cores, shared out over the jobs. */
  readonly threads?: number;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/**
 * `mzsr upscale`. One photo is checked before anything is computed, and what is wrong with it ends the command. Of several, one that
 * fails leaves the others alone, and is told of at the end.
 * @throws InputError, RunError
 */
export async function runUpscale(typed: readonly string[], options: UpscaleOptions, terminal: Terminal): Promise<void> {
  checkStreams(options, terminal);
  const kernel = await planKernel(options.kernel, options);
  const { method } = options;
  checkSteps(options);
  const modelPath = await modelPathOf(options);
  const model = modelPath === undefined ? undefined : await readModelFor(modelPath, options.scale, options.weights);
  const scale = model?.scale ?? options.scale ?? DEFAULT_SCALE;
  const choice = { output: options.output, format: options.format, scale };
  const results = await resultFolder(choice, true);
  const inputs = await findPhotos(typed, { recursive: options.recursive === true, scale, results });
  const planned = await planOutputs(inputs, choice);
  const files = [modelPath, kernelFile(options.kernel), ...planned.map(({ input }) => input.path)];
  const places = new Places(
    options,
    files.filter((file) => file !== undefined),
  );
  const report = new UpscaleReport(options, terminal);
  const settings: EnlargeSettings = {
    ...{ method, model, scale, kernel, quality: options.quality, force: options.force === true },
    ...{ updates: options.updates ?? DEFAULT_UPDATES[method], noise: options.noise },
    backProjection: options.backProjection,
    ...{ backend: backendName(options.backend), device: options.device, gpuMemory: options.gpuMemory },
    threads: options.threads ?? Math.max(1, Math.floor(availableParallelism() / options.jobs)),
  };
  if (modelPath !== undefined && options.model === undefined) report.note(`model ${packageOf(scale)}`);
  for (const note of [...inputs.notes, ...(kernel.named?.kernel.notes ?? [])]) report.note(note);
  if (!inputs.several) {
    const photo = { ...planned[0]!, comparison: await places.comparison(planned[0]!) };
    await places.check(photo);
    const computers = new PhotoComputers(settings);
    try {
      report.done(photo, await enlargeHere(photo, settings, computers, report, terminal));
    } finally {
      await computers.close();
    }
    return;
  }
  if (options.compare !== undefined) {
    throw new InputError("shows one photo, and here are several", {
      where: `--compare ${options.compare}`,
      expected: "one photo",
    });
  }
  await enlargeSeveral(planned, settings, options.jobs, places, report, terminal);
  report.end();
}

/** Of a method without a model. */
const DEFAULT_SCALE = 2;

/** What the user names, else what comes with the program where the method needs a model. @throws InputError */
async function modelPathOf({ method, model, scale = DEFAULT_SCALE }: UpscaleOptions): Promise<string | undefined> {
  if (model !== undefined) return modelFile(model);
  return method === "mzsr" ? shippedModel(scale) : undefined;
}

async function enlargeSeveral(
  planned: readonly PlannedPhoto[],
  settings: EnlargeSettings,
  jobs: number,
  places: Places,
  report: UpscaleReport,
  terminal: Terminal,
): Promise<void> {
  const tasks: PlannedPhoto[] = [];
  for (const photo of planned) {
    await places.check(photo).then(
      () => tasks.push(photo),
      (thrown: unknown) => report.failed(photo, thrown),
    );
  }
  // Standard input is this thread's.
  const [apart, here] = jobs > 1 ? split(tasks, ({ input }) => input.path !== undefined) : [[], tasks];
  const computers = new PhotoComputers(settings);
  for (const [i, task] of here.entries()) {
    const count = apart.length > 0 ? "" : ` (${i + 1} of ${counted(here.length, "photo")})`;
    await enlargeHere(task, settings, computers, report, terminal, count).then(
      (done) => report.done(task, done),
      (thrown: unknown) => report.failed(task, thrown),
    );
  }
  await computers.close();
  await enlargeInThreads(apart, jobs, settings, report);
}

function split<T>(all: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [all.filter(belongs), all.filter((item) => !belongs(item))];
}

/** @throws InputError where two things want one stream */
function checkStreams({ output, json }: UpscaleOptions, terminal: Terminal): void {
  if (output !== STANDARD_STREAM) return;
  const where = "-o -";
  if (json === true) throw new InputError("--json writes to standard output too", { where, expected: "a file's name" });
  if (terminal.resultOnScreen)
    throw new InputError("standard output is a terminal", { where, expected: "a file or a pipe" });
}

/** @throws InputError for options of steps where there are none */
function checkSteps({ method, updates = 0, noise }: UpscaleOptions): void {
  if (method !== "bicubic" || (updates === 0 && noise === 0)) return;
  const option = updates === 0 ? "--noise" : "--updates";
  throw new InputError("takes no gradient steps", { where: `--method ${method}`, expected: `no ${option}` });
}

/** The places that results go to. */
class Places {
  readonly #options: UpscaleOptions;
  readonly #inputs: readonly string[];

  /** @param inputs files that are never replaced */
  constructor(options: UpscaleOptions, inputs: readonly string[]) {
    this.#options = options;
    this.#inputs = inputs;
  }

  /** The place of the picture of before and after, if one is wanted. @throws InputError */
  async comparison({ output }: PlannedPhoto): Promise<PhotoTask["comparison"]> {
    const { compare } = this.#options;
    if (compare === undefined) return undefined;
    const where = `--compare ${compare}`;
    const extensions = COMPARISON_FORMATS.flatMap((format) => IMAGE_FORMATS[format].extensions);
    await checkOutputFile(compare, { extensions, force: this.#options.force === true, inputs: this.#inputs, where });
    if (output.path !== undefined && resolve(output.path) === resolve(compare)) {
      throw new InputError("is where the result goes", { where, expected: "another name" });
    }
    return { path: compare, format: imageFormatOf(compare)! };
  }

  /** Makes the folder of a result where `-o` names one. @throws InputError when the result cannot be written, or must not */
  async check({ input, output, taken }: PlannedPhoto): Promise<void> {
    const { path } = output;
    if (path === undefined) return;
    if (taken !== undefined)
      throw new InputError(`its result would have the name of that of ${taken}`, { where: input.name });
    if (this.#options.output !== undefined && path !== this.#options.output) await makeFolder(dirname(path));
    await checkOutputFile(path, {
      extensions: OUTPUT_EXTENSIONS,
      force: this.#options.force === true,
      inputs: this.#inputs,
      ...(this.#options.output === undefined ? { where: path } : {}),
    });
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((thrown: unknown) => {
    throw new InputError(`cannot be made (${reasonOf(thrown)})`, { where: folder, expected: "a folder for results" });
  });
}
