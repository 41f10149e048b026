/** Which jobs a benchmark has: models × methods × kernels × data sets × scales. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Downsampling, InputError, type Model, scalesOf } from "@mzsr/mzsr";
import { sha256Of } from "@mzsr/shared";
import { chooseKernel } from "../photos/kernel-choice.js";
import type { Dataset } from "./datasets.js";
import { type Case, type Job, jobKey, type Subject } from "./job.js";
import type { Method } from "./methods.js";
import { knownDataset } from "./published-figures.js";

export interface BenchmarkModel {
  readonly name: string;
  readonly file: string;
  readonly model: Model;
  /** Of the file, with which of its weights. */
  readonly sha256: string;
}

export interface PlanInputs {
  readonly models: readonly BenchmarkModel[];
  readonly methods: readonly Method[];
  /** As typed. */
  readonly kernels: readonly string[];
  readonly kernelOptions: { readonly centerKernel?: boolean; readonly downsampling?: Downsampling | undefined };
  /** By scale. */
  readonly datasets: ReadonlyMap<number, readonly Dataset[]>;
  /** Of ZSSR, at most. */
  readonly zssrUpdates: number;
  /** Where pictures go; undefined: nowhere. */
  readonly crops: string | undefined;
  readonly backend: string;
}

/** Photos of a data set whose pictures a page shows. */
const PICTURED = 5;

/** ZSSR comes last, since it takes longest: what is quick is known soon. @throws InputError for an unknown kernel */
export async function planJobs(inputs: PlanInputs): Promise<Job[]> {
  const digests = new Map<string, Promise<string>>();
  const digest = (path: string) => {
    const known = digests.get(path) ?? readFile(path).then(sha256Of, (thrown: unknown) => unreadable(path, thrown));
    digests.set(path, known);
    return known;
  };
  const jobs: Job[] = [];
  for (const [position, place] of (await casesOf(inputs)).entries()) {
    const { at, ...photo } = place;
    const files = { hr: await digest(photo.hr), lr: photo.lr === undefined ? undefined : await digest(photo.lr) };
    const pictured = inputs.crops !== undefined && at < PICTURED;
    const crops = pictured ? cropsStart(inputs.crops!, photo, files.hr) : undefined;
    for (const subject of subjectsOf(inputs, photo.scale)) {
      // One photo is enough to see how the methods go about it.
      const curve = position === 0 && crops !== undefined && subject.kind !== "bicubic";
      const job = { case: photo, subject, crops, curve };
      const model = subject.kind === "model" ? inputs.models[subject.index]!.sha256 : undefined;
      jobs.push({ ...job, key: jobKey(job, { ...files, model }, inputs.backend) });
    }
  }
  return jobs.sort((a, b) => Number(a.subject.kind === "zssr") - Number(b.subject.kind === "zssr"));
}

function unreadable(path: string, thrown: unknown): never {
  throw new InputError(`cannot be read (${(thrown as Error).message})`, { where: path });
}

/** @returns each with the photo's place in its data set */
async function casesOf({ datasets, kernels, kernelOptions }: PlanInputs): Promise<(Case & { readonly at: number })[]> {
  const cases: (Case & { at: number })[] = [];
  for (const [scale, sets] of datasets) {
    for (const typed of kernels) {
      for (const { name: dataset, photos } of sets) {
        const named = kernelFor(typed, dataset);
        const { kernel, downsampling } = await chooseKernel(named, kernelOptions.downsampling, kernelOptions);
        const blur = { size: kernel.size, data: kernel.data };
        for (const [at, photo] of photos.entries()) {
          cases.push({ dataset, ...photo, scale, kernel: typed, blur, downsampling, at });
        }
      }
    }
  }
  return cases;
}

/** The paper's anisotropic kernel is wider on the larger data sets (recovered from its table). */
function kernelFor(typed: string, dataset: string): string {
  const known = knownDataset(dataset);
  return typed === "gani" && (known === "bsd100" || known === "urban100") ? "gauss:5,1,-0.5" : typed;
}

function subjectsOf({ methods, models, zssrUpdates }: PlanInputs, scale: number): Subject[] {
  const subjects: Subject[] = [];
  if (methods.some(({ kind }) => kind === "bicubic")) subjects.push({ kind: "bicubic" });
  const counts = methods.flatMap((method) => (method.kind === "mzsr" ? [method.updates] : []));
  const updates = [...new Set(counts)].sort((a, b) => a - b);
  for (const [index, { name, model }] of models.entries()) {
    if (updates.length > 0 && scalesOf(model).includes(scale)) subjects.push({ kind: "model", name, index, updates });
  }
  if (methods.some(({ kind }) => kind === "zssr")) subjects.push({ kind: "zssr", updates: zssrUpdates });
  return subjects;
}

/** The same for all subjects of a case, so that they lie side by side. */
function cropsStart(folder: string, { scale, kernel, downsampling }: Case, hr: string): string {
  return join(folder, sha256Of(JSON.stringify([hr, scale, kernel, downsampling])).slice(0, 16));
}
