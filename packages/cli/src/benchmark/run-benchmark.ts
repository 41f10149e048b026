/** `mzsr benchmark`: plans, measures what is not known yet, and writes what came out. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { type Downsampling, InputError, messageOf, RunError, reasonOf, scalesOf, type WeightChoice } from "@mzsr/mzsr";
import { type BackendName, sha256Of } from "@mzsr/shared";
import { usesOneCore } from "@mzsr/worker";
import { checkOutputFile, type OutputFile } from "../model-files/output-file.js";
import { modelFile } from "../photos/model-path.js";
import { readModelFor } from "../photos/read-model-for.js";
import { SHIPPED_SCALE, shippedModel } from "../photos/shipped-model.js";
import { type BackendChoice, useBackend } from "../photos/use-backend.js";
import { counted, duration } from "../progress/numbers.js";
import type { Terminal } from "../progress/terminal.js";
import { workOff } from "../threads/work-off.js";
import type { ThreadData } from "./benchmark-thread.js";
import { qualityCurve } from "./curve.js";
import { type Dataset, findDatasets, modelName, nameAndPath, withDistinctNames } from "./datasets.js";
import type { Job, JobResult } from "./job.js";
import { type Method, methodTitle, parseMethods } from "./methods.js";
import { benchmarkHtml } from "./page.js";
import { type BenchmarkModel, planJobs } from "./plan.js";
import { ResultsFile } from "./results-file.js";
import { type Summary, summaryOf } from "./summary.js";
import { csvTable, markdownTable, terminalTable } from "./tables.js";
import { secondsLeft } from "./time-left.js";

export interface BenchmarkOptions extends BackendChoice {
  readonly preset?: "paper";
  readonly models?: string[];
  readonly weights?: WeightChoice;
  readonly images: string[];
  readonly lr?: string[];
  readonly kernels?: string[];
  readonly methods?: string[];
  readonly scales?: string[];
  readonly zssrUpdates: number;
  readonly centerKernel?: boolean;
  readonly downsampling?: Downsampling;
  readonly jobs?: number;
  readonly csv?: string;
  readonly markdown?: string;
  readonly report?: string;
  readonly skipBad?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The paper's four kernels, in the order of its table. */
const PAPER_TABLE = ["g0.2", "g2.0", "gani", "g1.3"];
/** ZSSR takes minutes for a photo: only where it is asked for. */
const QUICK_METHODS = ["bicubic", "before", "mzsr:1", "mzsr:10"];
const PAPER_METHODS = ["bicubic", "before", "zssr", "mzsr:1", "mzsr:10"];

/**
 * A photo that fails costs the results of no other.
 * @throws InputError before anything is measured; RunError, after the results were told, when something failed
 */
export async function runBenchmark(options: BenchmarkOptions, terminal: Terminal): Promise<void> {
  const methods = parseMethods(options.methods ?? (options.preset === "paper" ? PAPER_METHODS : QUICK_METHODS));
  const kernels = options.kernels?.flatMap(splitKernels) ?? PAPER_TABLE;
  const models = await readModels(options, methods);
  const files = await outputFiles(options, models);
  const report = options.report === undefined ? undefined : await openReport(options.report);
  const datasets = await datasetsByScale(options, models, terminal);
  // The name alone: jobs are measured in threads.
  const { name: backend, close } = await useBackend(options);
  close();
  const { zssrUpdates, centerKernel = false, downsampling } = options;
  const jobs = await planJobs({
    ...{ models, methods, kernels, datasets, zssrUpdates, backend },
    ...{ crops: report?.crops, kernelOptions: { centerKernel, downsampling } },
  });
  const { results, failures } = await measureAll(jobs, { models, backend, report, options }, terminal);
  const names = models.map(({ name }) => name);
  const summary = summaryOf(methods, names, jobs, results);
  await files.csv?.write(Buffer.from(csvTable(results)));
  await files.markdown?.write(Buffer.from(markdownTable(summary)));
  if (report !== undefined) await writePage(report.folder, summary, jobs, results, terminal);
  if (options.json === true) terminal.json({ backend, ...jsonOf(summary), results });
  else for (const line of terminalTable(summary)) terminal.line(line);
  if (failures.length === 0) return;
  throw new RunError(`${failures.length} of ${counted(jobs.length, "measurement")} failed`, { items: failures });
}

/** Commas separate kernels, except within `gauss:λ1,λ2,θ`. */
function splitKernels(typed: string): string[] {
  return typed.startsWith("gauss:") ? [typed] : typed.split(",");
}

/** Those of the user; where a method needs one and none is named, what comes with the program. @throws InputError */
async function readModels(
  { models: typed, weights }: BenchmarkOptions,
  methods: readonly Method[],
): Promise<BenchmarkModel[]> {
  const needed = methods.some(({ kind }) => kind === "mzsr");
  const models = typed ?? (needed ? [`model-x2=${shippedModel(SHIPPED_SCALE)}`] : []);
  const named = withDistinctNames(models.map((typed) => nameAndPath(typed, modelName)));
  return Promise.all(
    named.map(async ({ name, path }) => {
      const file = await modelFile(path);
      const model = await readModelFor(file, undefined, weights);
      return { name, file, model, sha256: sha256Of(await readFile(file)) + (weights ?? "") };
    }),
  );
}

async function outputFiles({ csv, markdown, force = false }: BenchmarkOptions, models: readonly BenchmarkModel[]) {
  const checked = async (option: string, path: string | undefined, extensions: readonly string[]) =>
    path === undefined
      ? undefined
      : checkOutputFile(path, {
          extensions,
          force,
          inputs: models.map(({ file }) => file),
          where: `${option} ${path}`,
        });
  const files: { csv: OutputFile | undefined; markdown: OutputFile | undefined } = {
    csv: await checked("--csv", csv, [".csv"]),
    markdown: await checked("--markdown", markdown, [".md"]),
  };
  return files;
}

interface Report {
  readonly folder: string;
  readonly crops: string;
  readonly known: ResultsFile;
}

const PAGE = "benchmark.html";
const RESULTS = "results.jsonl";

/** A new folder, an empty one, or that of an earlier call, which is gone on with. @throws InputError */
async function openReport(folder: string): Promise<Report> {
  const where = `--report ${folder}`;
  const crops = join(folder, "crops");
  try {
    await mkdir(folder, { recursive: true });
    const names = await readdir(folder);
    if (names.length > 0 && !names.includes(RESULTS)) {
      throw new InputError("holds something else", { where, expected: "a new folder, or one of an earlier benchmark" });
    }
    const known = await ResultsFile.open(join(folder, RESULTS));
    await mkdir(crops, { recursive: true });
    return { folder, crops, known };
  } catch (thrown) {
    if (thrown instanceof InputError) throw thrown;
    throw new InputError(`cannot be written (${reasonOf(thrown)})`, { where, expected: "a folder for the page" });
  }
}

async function datasetsByScale(
  { images, lr, scales, skipBad = false }: BenchmarkOptions,
  models: readonly BenchmarkModel[],
  terminal: Terminal,
): Promise<Map<number, Dataset[]>> {
  const wanted =
    scales?.flatMap((text) => text.split(",")).map(scaleOf) ?? models.flatMap(({ model }) => scalesOf(model));
  const sets = new Map<number, Dataset[]>();
  for (const scale of [...new Set(wanted.length === 0 ? [2] : wanted)].sort((a, b) => a - b)) {
    sets.set(scale, await findDatasets(images, lr, { scale, skipBad }));
  }
  for (const { path, reason } of [...sets.values()].flat().flatMap(({ bad }) => bad)) {
    terminal.note(`${path} was left out: ${reason}`);
  }
  return sets;
}

/** @throws InputError */
function scaleOf(text: string): number {
  if (/^\s*[234]\s*$/.test(text)) return Number(text);
  throw new InputError(`no scale '${text}'`, { where: "--scales", expected: "2, 3 and 4, with commas between them" });
}

interface Means {
  readonly models: readonly BenchmarkModel[];
  readonly backend: BackendName;
  readonly report: Report | undefined;
  readonly options: BenchmarkOptions;
}

/** In the order of the jobs, whoever was first. */
async function measureAll(
  jobs: readonly Job[],
  { models, backend, report, options }: Means,
  terminal: Terminal,
): Promise<{ results: JobResult[]; failures: string[] }> {
  const found = new Map<string, JobResult>();
  for (const { key } of jobs) {
    const known = report?.known.known(key);
    if (known !== undefined) found.set(key, known);
  }
  const open = jobs.filter(({ key }) => !found.has(key));
  const known = found.size === 0 ? "" : `, ${jobs.length - open.length} known from ${report!.folder}`;
  const most = options.jobs ?? (usesOneCore(backend) ? availableParallelism() : 1);
  const threads = Math.min(most, Math.max(1, open.length));
  terminal.note(`${counted(jobs.length, "measurement")}${known}; ${counted(threads, "thread")}, backend ${backend}`);
  const failures: string[] = [];
  const done: { job: Job; seconds: number }[] = [];
  const progress = (job: Job, text: string) => {
    const left = secondsLeft(open, done, threads);
    const rest = left === undefined || left < 1 ? "" : `, about ${duration(left)} left`;
    terminal.note(`${titleOf(job)}: ${text} (${done.length + failures.length} of ${open.length}${rest})`);
  };
  const { device, gpuMemory } = options;
  const data: ThreadData = { models: models.map(({ model }) => model), computing: { backend, device, gpuMemory } };
  const entry = { url: new URL("./benchmark-thread.js", import.meta.url), workerData: data };
  await workOff<Job, JobResult>(open, threads, entry, {
    done: (job, result) => {
      const named = withNames(result, job);
      found.set(job.key, named);
      report?.known.add(named);
      done.push({ job, seconds: result.methods.reduce((sum, { seconds }) => sum + seconds, 0) });
      progress(
        job,
        result.methods.map(({ method, psnr_y }) => `${methodTitle(method)} ${psnr_y.toFixed(2)}`).join(", "),
      );
    },
    failed: (job, thrown) => {
      failures.push(`${titleOf(job)}: ${messageOf(thrown)}`);
      progress(job, `failed: ${messageOf(thrown)}`);
    },
  });
  await report?.known.written();
  const results = jobs.flatMap((job) => {
    const result = found.get(job.key);
    return result === undefined ? [] : [withNames(result, job)];
  });
  return { results, failures };
}

/** What a result is called in this call: another may have given its folder or model another name. */
function withNames(result: JobResult, { case: photo, subject }: Job): JobResult {
  const { dataset, image, kernel } = photo;
  return { ...result, dataset, image, kernel, model: subject.kind === "model" ? subject.name : null };
}

function titleOf({ case: { dataset, image, kernel, scale }, subject }: Job): string {
  const name = subject.kind === "model" ? `, ${subject.name}` : "";
  return `${dataset} ${image}, ${kernel} ×${scale}${name}`;
}

async function writePage(
  folder: string,
  summary: Summary,
  jobs: readonly Job[],
  results: readonly JobResult[],
  terminal: Terminal,
): Promise<void> {
  const curve = qualityCurve(results);
  const address = (path: string) => relative(folder, path).split(/[\\/]/).map(encodeURIComponent).join("/");
  const charts = curve === undefined ? [] : [curve.figure];
  const html = benchmarkHtml({ summary, jobs, results, charts, address });
  try {
    if (curve !== undefined) await writeFile(join(folder, "curve.svg"), curve.picture);
    await writeFile(join(folder, PAGE), html);
  } catch (thrown) {
    throw new RunError(`${folder} cannot be written (${reasonOf(thrown)})`, { cause: thrown });
  }
  terminal.note(`page: ${join(folder, PAGE)}`);
}

function jsonOf({ columns, rows, notes }: Summary) {
  return {
    rows: rows.map(({ dataset, kernel, downsampling, scale, photos, cells, published }) => ({
      ...{ dataset, kernel, downsampling, scale, photos },
      methods: columns.flatMap(({ method, model }, i) => {
        const cell = cells[i];
        if (cell === undefined) return [];
        const { psnrY, ssimY, seconds } = cell;
        const { photos: measured } = cell;
        const known = published?.[i];
        return [
          {
            ...{ method, model, psnr_y: psnrY, ssim_y: ssimY, seconds, photos: measured },
            ...(known === undefined ? {} : { published_psnr_y: known }),
          },
        ];
      }),
    })),
    notes,
  };
}
