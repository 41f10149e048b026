/** What TensorBoard is shown of a step and of a preview, and under which names. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import type { PreviewFiles, PreviewImage, ValidationSummary } from "@mzsr/shared";
import type { MetricsLine } from "../run/metrics-log.js";
import type { EncodedPicture, SummaryValue } from "./event-schema.js";

const RGB = 3;
/** Where the header of a PNG has its width and height (PNG specification, section 11.2.2). */
const PNG_WIDTH_AT = 16;
const PNG_HEIGHT_AT = 20;

/** A step's numbers. */
export function scalarsOf(line: MetricsLine): SummaryValue[] {
  return [
    ...lossesOf(line),
    scalar("training/learning_rate", line.learning_rate),
    scalar("training/meta_gradient_norm", line.gradient_norm),
    ...numbered("step_weight", line.step_weights),
    ...(line.seconds > 0 ? [scalar("cluster/tasks_per_second", line.tasks / line.seconds)] : []),
    scalar("cluster/seconds_per_step", line.seconds),
    scalar("cluster/workers", line.workers),
  ];
}

/** How good the newest pictures of held-out photos are, in dB. */
export function psnrOf(images: readonly PreviewImage[]): SummaryValue[] {
  return images.flatMap(({ name, entries }) =>
    Object.entries(entries.at(-1)?.psnr ?? {}).map(([of, decibels]) => scalar(`psnr/${name}/${of}`, decibels)),
  );
}

/** How good a model is on held-out images, in dB: as a mean, and kernel by kernel. */
export function validationScalars({ updates, bicubic, psnr, kernels }: ValidationSummary): SummaryValue[] {
  return [{ kernel: "all", bicubic, psnr }, ...kernels].flatMap((each) => [
    scalar(`validation/${each.kernel}/bicubic`, each.bicubic),
    ...updates.map((count, i) => scalar(`validation/${each.kernel}/after_${count}`, each.psnr[i]!)),
  ]);
}

/** A picture of a held-out photo that stands in the folder of previews. */
export interface NamedPicture {
  readonly tag: string;
  readonly file: string;
}

/** The newest pictures of held-out photos. */
export function picturesOf(images: readonly PreviewImage[]): NamedPicture[] {
  return images.flatMap(({ name, entries }) => {
    const files: Partial<PreviewFiles> = entries.at(-1)?.files ?? {};
    return Object.entries(files).map(([of, file]) => ({ tag: `preview/${name}/${of}`, file }));
  });
}

/** @throws InputError for a file that is no PNG */
export async function readPicture(folder: string, { tag, file }: NamedPicture): Promise<SummaryValue> {
  const path = join(folder, file);
  const image = pngPicture(await readFile(path), path);
  return { tag, image };
}

function pngPicture(png: Buffer, where: string): EncodedPicture {
  if (png.length < PNG_HEIGHT_AT + 4) throw new InputError("is no PNG", { where });
  const [width, height] = [png.readUInt32BE(PNG_WIDTH_AT), png.readUInt32BE(PNG_HEIGHT_AT)];
  return { height, width, colorspace: RGB, encodedImageString: png };
}

/** Meta-training has losses from before the first inner step on; pretraining has one, that of its minibatches. */
function lossesOf({ stage, support_losses: support, query_losses: query }: MetricsLine): SummaryValue[] {
  if (stage === "pretraining") return support.slice(0, 1).map((loss) => scalar("loss/pretraining", loss));
  const named = [
    ["loss/support/before", support[0]],
    ["loss/query/before", query[0]],
    ["loss/query/after", query.at(-1)],
  ] as const;
  return [
    ...named.flatMap(([tag, loss]) => (loss === undefined ? [] : [scalar(tag, loss)])),
    ...numbered("inner_loss/support", support),
    ...numbered("inner_loss/query", query),
  ];
}

/** One value for each inner step. */
function numbered(tag: string, values: readonly number[]): SummaryValue[] {
  return values.map((value, innerStep) => scalar(`${tag}/${innerStep}`, value));
}

function scalar(tag: string, simpleValue: number): SummaryValue {
  return { tag, simpleValue };
}
