import { join } from "node:path";
import {
  createImage,
  type Downsampling,
  Draws,
  drawSample,
  type EstimatorPart,
  encodeEstimator,
  estimateRoot,
  fitEstimatorPart,
  type Image,
  InputError,
  lumaOf,
  type PhotoSample,
  partName,
  readImage,
  throughJpeg,
  trainingSample,
  widthError,
} from "@mzsr/mzsr";
import { checkOutputFile } from "../model-files/output-file.js";
import { type LeastSize, photosIn } from "../photos/photo-folder.js";
import { counted, duration } from "../progress/numbers.js";
import type { Terminal } from "../progress/terminal.js";

export interface TrainEstimatorOptions {
  readonly images: string;
  readonly output: string;
  readonly scales: readonly number[];
  /** For each photo, scale and downsampling. */
  readonly kernels: number;
  /** Every so many photos one only measures. */
  readonly leaveOut: number;
  readonly seed: number;
  /** Go on without what cannot be used. */
  readonly skipBad?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

const DOWNSAMPLINGS: readonly Downsampling[] = ["direct", "bicubic"];
/** Members of an estimator learn from different photos. */
const FEWEST_PHOTOS = 8;

/** What one part of the estimator is worth: mean |Δσ| in pixels of the enlarged photo. */
interface Measure {
  readonly part: string;
  readonly samples: number;
  readonly leftOut: { readonly samples: number; readonly error: number };
}

/** `mzsr train-estimator`. @throws InputError, RunError */
export async function runTrainEstimator(options: TrainEstimatorOptions, terminal: Terminal): Promise<void> {
  const { images, seed, leaveOut } = options;
  const output = await checkOutputFile(options.output, {
    extensions: [".safetensors"],
    force: options.force === true,
    inputs: [],
  });
  const { names, bad } = await photosIn(images, sizeToLearn(options.scales), options.skipBad === true);
  for (const { path, reason } of bad) terminal.note(`${path} was left out: ${reason}`);
  const learned = names.filter((_, i) => (i + 1) % leaveOut !== 0);
  if (learned.length < FEWEST_PHOTOS) {
    throw new InputError(`${counted(learned.length, "photo")} to learn from are too few`, {
      where: images,
      expected: `${FEWEST_PHOTOS} or more beside those left out; a hundred different ones make a good estimator`,
    });
  }
  const started = performance.now();
  const parts = new Map<string, EstimatorPart>();
  const measures: Measure[] = [];
  for (const scale of options.scales) {
    for (const downsampling of DOWNSAMPLINGS) {
      const part = partName(scale, downsampling);
      const samples = await makeSamples(names, { scale, downsampling }, options, terminal);
      const isLeftOut = ({ photo }: PhotoSample) => (photo + 1) % leaveOut === 0;
      const seen = samples.filter((sample) => !isLeftOut(sample));
      const fitted = fitEstimatorPart(seen, seed, ({ done, of }) => tell(terminal, `${part}: fitted ${done} of ${of}`));
      parts.set(part, fitted);
      const measure = measured(part, fitted, seen.length, samples.filter(isLeftOut));
      measures.push(measure);
      const { error } = measure.leftOut;
      terminal.note(`${part}: ${seen.length} samples; wrong by ${error.toFixed(3)} px on photos that were left out`);
    }
  }
  const metadata = { photos: String(learned.length), kernels: String(options.kernels), seed: String(seed) };
  await output.write(encodeEstimator({ parts, metadata }));
  const seconds = (performance.now() - started) / 1000;
  if (options.json === true) terminal.json({ output: output.path, photos: learned.length, parts: measures, seconds });
  else
    terminal.line(
      `${output.path}: ${[...parts.keys()].join(", ")} from ${counted(learned.length, "photo")} in ${duration(seconds)}`,
    );
}

/** LR images need windows to look at, also of photos that are made smaller. */
const SMALLEST_LR = 96;

function sizeToLearn(scales: readonly number[]): LeastSize {
  const scale = Math.max(...scales);
  return { side: SMALLEST_LR * scale, use: `learn from how they blur when they are made ${scale} times smaller` };
}

async function makeSamples(
  names: readonly string[],
  { scale, downsampling }: { readonly scale: number; readonly downsampling: Downsampling },
  { images, kernels, seed }: TrainEstimatorOptions,
  terminal: Terminal,
): Promise<PhotoSample[]> {
  const samples: PhotoSample[] = [];
  const stream = scale * DOWNSAMPLINGS.length + DOWNSAMPLINGS.indexOf(downsampling);
  for (const [photo, name] of names.entries()) {
    const luma = lumaImage(await readImage(join(images, name)));
    for (let k = 0; k < kernels; k++) {
      const plan = drawSample(new Draws(seed, [photo, k, stream]), scale);
      const degradation = { scale, downsampling, seed: (photo * kernels + k) * NOISE_STREAMS + stream };
      samples.push({ photo, ...(await trainingSample(luma, plan, degradation, throughJpeg)) });
    }
    tell(
      terminal,
      `${partName(scale, downsampling)}: ${counted(samples.length, "sample")} of ${names.length * kernels}`,
    );
  }
  if (terminal.interactive) terminal.draw("\r\x1b[2K");
  return samples;
}

/** More than there are streams: no two samples have the same noise. */
const NOISE_STREAMS = 16;

function lumaImage(photo: Image): Image {
  const { height, width, data } = lumaOf(photo);
  return createImage(height, width, 1, data);
}

function measured(part: string, fitted: EstimatorPart, samples: number, leftOut: readonly PhotoSample[]): Measure {
  const errors = leftOut.map(({ features, root }) => widthError(estimateRoot(fitted, features), root));
  const error = errors.reduce((sum, value) => sum + value, 0) / errors.length;
  return { part, samples, leftOut: { samples: leftOut.length, error } };
}

function tell(terminal: Terminal, text: string): void {
  if (terminal.interactive) terminal.draw(`\r\x1b[2K${text}`);
}
