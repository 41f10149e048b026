/**
 * The report of a finished run: what the model makes of photos that it was never trained on, blurred with a kernel that
 * it is told. A page, the pictures, and the numbers as JSON.
 */
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { removeReport } from "@mzsr/coordinator";
import { encodePng, type Image, imresize, type Model, readImage, writePng } from "@mzsr/mzsr";
import type { Configuration } from "@mzsr/shared";
import type { PhotoBackend } from "@mzsr/worker";
import type { Photo } from "../photos/embedded-photos.js";
import { BICUBIC, evaluatePhoto, type MethodName, meanScores, type PhotoEvaluation } from "../photos/evaluate-photo.js";
import { finiteImage } from "../photos/finite-image.js";
import type { KernelChoice } from "../photos/kernel-choice.js";
import { methodTitle, scoresTable } from "../photos/scores-table.js";
import { duration } from "../progress/numbers.js";
import { cropWindow, hardestWindow, magnify, type Window, windowAround } from "./detail.js";
import { kernelPicture } from "./kernel-picture.js";
import { type Loss, lossCharts } from "./loss-charts.js";
import { type Panel, type PhotoSection, reportHtml } from "./page.js";

export interface ReportInputs {
  readonly run: string;
  readonly model: Model;
  readonly configuration: Configuration;
  readonly choice: KernelChoice;
  readonly photos: readonly Photo[];
  readonly backend: Pick<PhotoBackend, "name" | "computer">;
  /** The steps of the run, in order. */
  readonly losses: readonly Loss[];
  /** What training took, 0 when it is not known. */
  readonly trainingSeconds: number;
  readonly onPhoto?: (name: string) => void;
}

/** results.json */
export interface ReportResults {
  readonly images: readonly {
    readonly name: string;
    readonly psnr_y: Readonly<Record<MethodName, number>>;
    readonly ssim_y: Readonly<Record<MethodName, number>>;
  }[];
  readonly kernel: string;
  readonly psnr_y: Readonly<Record<MethodName, number>>;
  readonly ssim_y: Readonly<Record<MethodName, number>>;
  /** Training and evaluation together. */
  readonly seconds: number;
}

export interface WrittenReport {
  readonly page: string;
  readonly results: ReportResults;
  /** The scores as lines of text. */
  readonly table: readonly string[];
}

/** Numbers of gradient steps that the report compares. */
const UPDATES = [0, 1, 10];

/** Pixels of HR: the part of a picture that a panel shows, and the part of that which is magnified. */
const REGION = { height: 216, width: 288 };
const DETAIL_SIDE = 48;
const DETAIL_ASPECT = { height: 48, width: 64 };
const MAGNIFICATION = 6;
const OVERVIEW_WIDTH = 480;

/**
 * Evaluates and writes `<folder>/report.html`, `results.json` and the pictures. An older report is replaced at the end;
 * what else is in its folder stays.
 * @throws RunError when an adaptation diverges
 */
export async function writeReport(folder: string, inputs: ReportInputs): Promise<WrittenReport> {
  const started = performance.now();
  const partial = `${folder}.partial`;
  await removeReport(partial);
  await mkdir(partial, { recursive: true });
  const sections: PhotoSection[] = [];
  for (const photo of inputs.photos) {
    inputs.onPhoto?.(photo.name);
    sections.push(await photoSection(partial, photo, inputs));
  }
  const mean = meanScores(sections.map((section) => section.scores));
  const results: ReportResults = {
    images: sections.map(({ name, scores }) => ({ name, psnr_y: scores.psnrY, ssim_y: scores.ssimY })),
    kernel: inputs.choice.kernel.name,
    psnr_y: mean.psnrY,
    ssim_y: mean.ssimY,
    seconds: inputs.trainingSeconds + (performance.now() - started) / 1000,
  };
  const html = reportHtml({
    title: `What the run “${inputs.run}” learned`,
    summary: summaryLines(inputs),
    facts: factsOf(inputs, results.seconds),
    kernelPicture: await encodePng(kernelPicture(inputs.choice.kernel)),
    photos: sections,
    mean,
    charts: lossCharts(inputs.losses),
  });
  await writeFile(join(partial, "report.html"), html);
  await writeFile(join(partial, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  await removeReport(folder);
  await mkdir(folder, { recursive: true });
  // The page last: where it is, its pictures are.
  const names = (await readdir(partial)).sort((a, b) => Number(a === "report.html") - Number(b === "report.html"));
  for (const name of names) await rename(join(partial, name), join(folder, name));
  await removeReport(partial);
  return { page: join(folder, "report.html"), results, table: scoresTable(sections, mean) };
}

async function photoSection(folder: string, photo: Photo, inputs: ReportInputs): Promise<PhotoSection> {
  const source = await readImage(photo.path);
  const { kernel, downsampling } = inputs.choice;
  const result = await evaluatePhoto(source, inputs.model, {
    kernel,
    downsampling,
    updates: UPDATES,
    computer: inputs.backend.computer,
  });
  const { hr, lr, enlarged, psnrY, ssimY } = result;
  const square = hardestWindow(hr, enlarged.get(BICUBIC)!, DETAIL_SIDE, inputs.model.scale * 4);
  const region = windowAround(square, REGION.height, REGION.width, hr);
  return {
    name: photo.name,
    about: `${hr.width}×${hr.height}, enlarged from ${lr.width}×${lr.height}. The box is the part shown in the pictures; the middle of it is magnified.`,
    overview: await encodePng(imresize(hr, OVERVIEW_WIDTH / hr.width)),
    box: {
      left: region.x / hr.width,
      top: region.y / hr.height,
      width: region.width / hr.width,
      height: region.height / hr.height,
    },
    panels: await panelsOf(folder, photo.name, result, square, region, inputs.model.scale),
    scores: { psnrY, ssimY },
  };
}

async function panelsOf(
  folder: string,
  name: string,
  { hr, lr, enlarged, psnrY, ssimY }: PhotoEvaluation,
  square: Window,
  region: Window,
  scale: number,
): Promise<Panel[]> {
  const detail = windowAround(square, DETAIL_ASPECT.height, DETAIL_ASPECT.width, hr);
  const pictures: { title: string; slug: string; whole: Image; shown: Image; method?: MethodName }[] = [
    { title: "LR", slug: "lr", whole: lr, shown: magnify(lr, scale) },
    ...[...enlarged].map(([method, image]) => {
      const slug = method === BICUBIC ? method : method === "0" ? "before-adaptation" : `after-${method}`;
      return { title: methodTitle(method), slug, whole: finiteImage(image, name), shown: image, method };
    }),
    { title: "HR", slug: "hr", whole: hr, shown: hr },
  ];
  return Promise.all(
    pictures.map(async ({ title, slug, whole, shown, method }) => {
      const file = `${name}-${slug}.png`;
      const magnified = magnify(cropWindow(shown, detail), MAGNIFICATION);
      await writePng(join(folder, file), whole);
      await writePng(join(folder, `${name}-${slug}-detail.png`), magnified);
      const scores = method === undefined ? undefined : { psnrY: psnrY[method]!, ssimY: ssimY[method]! };
      return {
        title,
        region: await encodePng(cropWindow(shown, region)),
        detail: await encodePng(magnified),
        scores,
        file,
      };
    }),
  );
}

function summaryLines({ model, choice }: ReportInputs): string[] {
  return [
    `A small network, meta-trained over many blur kernels, enlarges photos it has never seen ${model.scale} times. ` +
      "Each photo was blurred with the kernel below and made smaller; the network is told the kernel and takes gradient steps on the small photo alone.",
    `Compared: bicubic interpolation, the network before adaptation, and after ${UPDATES.filter((n) => n > 0).join(" and ")} steps. ` +
      `The kernel ${choice.kernel.name} was not among those it was trained with: training draws its kernels from a continuous range.`,
  ];
}

function factsOf(inputs: ReportInputs, seconds: number): [string, string][] {
  const { model, configuration, choice, backend, trainingSeconds } = inputs;
  const { depth, width } = model.architecture;
  return [
    ["kernel", `${choice.kernel.name}, ${choice.downsampling} ×${model.scale}`],
    ["network", `${depth} layers, ${width} channels, ${model.parameters.length.toLocaleString("en")} parameters`],
    ["pretraining", `${configuration.pretraining.steps.toLocaleString("en")} steps`],
    ["meta-training", `${configuration.metaTraining.steps.toLocaleString("en")} meta-steps`],
    ["backend", backend.name],
    ...(trainingSeconds > 0 ? [["training", duration(trainingSeconds)] as [string, string]] : []),
    ["all together", duration(seconds)],
  ];
}
