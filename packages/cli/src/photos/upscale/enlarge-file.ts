/** One photo of `mzsr upscale`, from file to file. */
import {
  checkResultSize,
  describeEstimate,
  encodePhoto,
  IMAGE_FORMATS,
  InputError,
  type LoadedPhoto,
  type Model,
  PhotoEncoder,
  readPhoto,
  readPhotoBytes,
} from "@mzsr/mzsr";
import { writeOutputFile } from "../../model-files/output-file.js";
import { counted, significant } from "../../progress/numbers.js";
import type { StepShown } from "../../progress/step-progress.js";
import { finiteImage } from "../finite-image.js";
import { estimateInWords, gaussianName, type KernelPlan, type PhotoKernel, plannedKernel } from "../kernel-source.js";
import type { BackendChoice } from "../use-backend.js";
import { COMPARISON, Comparing } from "./comparison.js";
import { type Enlargement, METHODS, type Method, type MethodName } from "./methods.js";
import type { Computing } from "./photo-computers.js";
import type { PhotoInput } from "./photo-inputs.js";
import type { PhotoOutput } from "./photo-outputs.js";

/** What is the same for all photos of a call. Plain data, so that it can go to another thread. */
export interface EnlargeSettings extends BackendChoice {
  readonly method: MethodName;
  /** Undefined where the method needs none and the user named none. */
  readonly model: Model | undefined;
  readonly scale: number;
  readonly kernel: KernelPlan;
  readonly updates: number;
  readonly noise: number;
  readonly backProjection: number;
  readonly quality: number | undefined;
  readonly force: boolean;
  /** That share the work of one photo. */
  readonly threads: number;
}

export interface PhotoTask {
  readonly input: PhotoInput;
  readonly output: PhotoOutput;
  /** Where a picture of before and after goes. */
  readonly comparison?: PhotoOutput | undefined;
}

export interface TaskListener {
  /** The photo is read. @returns what computes, once that has started */
  ready(photo: { readonly width: number; readonly height: number }): Promise<Computing>;
  /** The blur that the photo is adapted to. */
  kernel?(kernel: PhotoKernel): void;
  /** What is being done, whose length nobody knows. */
  phase(name: string): void;
  step(progress: StepShown): void;
  /** Of the result. */
  rows(progress: { readonly done: number; readonly of: number }): void;
  /** Nothing is to be computed any more for this photo. */
  computed(photo: { readonly width: number; readonly height: number }): Promise<void>;
  note(text: string): void;
}

export interface PhotoReport {
  readonly input: string;
  /** Of the result. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly method: MethodName;
  readonly backend: string;
  readonly kernel: ReportedKernel;
  /** Gradient steps done. */
  readonly updates: number;
  /** Whether training ended because nothing more was learned; of ZSSR. */
  readonly converged?: boolean;
  /** L1 of the network before each step: on the photo's own degradation, in ZSSR on the step's crop. */
  readonly losses: readonly number[];
  /** On the photo's own degradation, after all steps; none without a network. */
  readonly loss_after: number | null;
  /** What the user should know. */
  readonly notes: readonly string[];
  readonly seconds: number;
  readonly timings: Readonly<Record<"read" | "estimation" | "adaptation" | "enlargement" | "write", number>>;
}

export interface ReportedKernel {
  /** As the user called it. */
  readonly name: string;
  readonly downsampling: string;
  /** Where it was estimated. */
  readonly estimate?: {
    /** As `--kernel` takes it. */
    readonly kernel: string;
    /** Expected error of its widths, in pixels of the result. */
    readonly uncertainty: number;
    readonly certain: boolean;
    readonly words: string;
  };
}

/** How the task's own input and output streams are read and written, where it has such. */
export interface StandardStreams {
  read(): Promise<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
  /** A picture of before and after that has no path. */
  writeComparison?(bytes: Uint8Array): Promise<void>;
}

/**
 * Reads, enlarges and writes a photo.
 * @throws InputError for a photo that cannot be used, RunError
 */
export async function enlargeFile(
  { input, output, comparison }: PhotoTask,
  settings: EnlargeSettings,
  listener: TaskListener,
  streams: StandardStreams,
): Promise<PhotoReport> {
  const clock = new Stopwatch();
  const photo =
    input.path === undefined ? await readPhotoBytes(await streams.read(), input.name) : await readPhoto(input.path);
  checkSize(photo, settings.scale, output, input.name);
  const read = clock.lap();
  const told: string[] = [];
  const tell = (notes: readonly string[]) => {
    told.push(...notes);
    for (const note of notes) listener.note(note);
  };
  tell(photo.notes);
  const { backend, computer } = await listener.ready(photo);
  clock.lap();
  if (settings.kernel.named === undefined) listener.phase("estimating the blur");
  const kernel = await plannedKernel(settings.kernel, photo, settings.scale);
  const estimation = clock.lap();
  listener.kernel?.(kernel);
  if (kernel.estimate !== undefined) listener.note(estimateInWords(kernel.estimate));
  listener.phase("adapting");
  const method: Method = METHODS[settings.method];
  const onStep = (step: StepShown) => listener.step(step);
  const { bands, seconds = 0, ...learned } = await method(photo, { ...settings, kernel, computer, onStep });
  const adaptation = clock.lap() - seconds;
  listener.phase("enlarging");
  const { scale } = settings;
  const [width, height] = [photo.width * scale, photo.height * scale];
  const { data: _, ...traits } = photo;
  const encoder = new PhotoEncoder({ ...traits, width, height }, output.format);
  const comparing = comparison && new Comparing(photo, { scale, downsampling: kernel.downsampling });
  for await (const { top, image } of bands) {
    finiteImage(image, input.name);
    encoder.add(top, image);
    comparing?.add(top, image);
    listener.rows({ done: top + image.height, of: height });
  }
  const enlargement = clock.lap() + seconds;
  listener.phase("writing");
  await listener.computed(photo);
  const { bytes, notes } = await encoder.finish({ quality: settings.quality });
  tell([...notes, ...(settings.method === "mzsr" ? harmOf(learned) : [])]);
  if (output.path === undefined) await streams.write(bytes);
  else await writeOutputFile(output.path, bytes, settings.force);
  const write = clock.lap();
  if (comparison !== undefined && comparing !== undefined) {
    const { picture, part } = comparing.compared();
    if (part !== undefined) tell([`${comparison.path ?? "the comparison"} shows ${part}`]);
    const file = await encodePhoto(picture, comparison.format, { quality: settings.quality, description: COMPARISON });
    if (comparison.path === undefined) await streams.writeComparison?.(file.bytes);
    else await writeOutputFile(comparison.path, file.bytes, settings.force);
  }
  return {
    input: input.name,
    width,
    height,
    bytes: bytes.length,
    method: settings.method,
    backend,
    kernel: reported(settings.kernel.name, kernel),
    updates: learned.losses.length,
    ...(learned.converged === undefined ? {} : { converged: learned.converged }),
    losses: learned.losses,
    loss_after: learned.lossAfter ?? null,
    notes: told,
    seconds: clock.total(),
    timings: { read, estimation, adaptation, enlargement, write },
  };
}

function reported(name: string, { downsampling, estimate }: PhotoKernel): ReportedKernel {
  if (estimate === undefined) return { name, downsampling };
  const { shape, uncertainty, certain } = estimate;
  const words = describeEstimate(estimate);
  return { name, downsampling, estimate: { kernel: gaussianName(shape), uncertainty, certain, words } };
}

/** Before anything is computed. */
function checkSize(photo: LoadedPhoto, scale: number, { format }: PhotoOutput, where: string): void {
  checkResultSize(photo, scale, where);
  const { title, longestSide } = IMAGE_FORMATS[format];
  const longest = scale * Math.max(photo.width, photo.height);
  if (longest <= longestSide) return;
  throw new InputError(`the result would have ${longest} pixels a side; ${title} holds at most ${longestSide}`, {
    where,
    expected: "a result of another format, such as PNG or TIFF",
  });
}

/** What is lost to rounding is no harm. */
const HARMLESS = 1.001;

/** A warning where the steps led away from what they were to reach. */
function harmOf({ losses, lossAfter }: Pick<Enlargement, "losses" | "lossAfter">): string[] {
  const [before] = losses;
  if (before === undefined || lossAfter === undefined || lossAfter <= HARMLESS * before) return [];
  const change = `loss ${significant(before)} before, ${significant(lossAfter)} after ${counted(losses.length, "step")}`;
  return [
    `adapting made the network worse on the photo's own degradation (${change}); --updates 0 or another --kernel may suit it better`,
  ];
}

class Stopwatch {
  readonly #started = performance.now();
  #lap = this.#started;

  /** Seconds since the last lap. */
  lap(): number {
    const now = performance.now();
    const seconds = (now - this.#lap) / 1000;
    this.#lap = now;
    return seconds;
  }

  total(): number {
    return (performance.now() - this.#started) / 1000;
  }
}
