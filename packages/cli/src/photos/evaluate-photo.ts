/**
 * How much better than bicubic interpolation a model enlarges a photo, before and after adaptation: the photo is
 * degraded, the LR image enlarged in each way, and the results compared with the photo.
 */
import {
  type AdaptationProgress,
  adapt,
  type BlurKernel,
  createImage,
  type Downsampling,
  degrade,
  enlargeWith,
  type Image,
  interpolateLow,
  type Model,
  modCrop,
  type NetworkComputer,
  type Noise,
  psnrY,
  ssimY,
  throughJpeg,
  toBytes,
} from "@mzsr/mzsr";

/** `bicubic`, or a number of gradient steps. */
export type MethodName = string;

export interface Scores {
  /** dB on the Y channel, `scale` pixels shaved. */
  readonly psnrY: Readonly<Record<MethodName, number>>;
  readonly ssimY: Readonly<Record<MethodName, number>>;
}

export interface EvaluationOptions {
  readonly kernel: BlurKernel;
  readonly downsampling: Downsampling;
  /** Numbers of gradient steps, ascending. */
  readonly updates: readonly number[];
  readonly onStep?: (progress: AdaptationProgress) => void;
  readonly computer: NetworkComputer;
}

export interface PhotoEvaluation extends Scores, TestPair {
  readonly enlarged: ReadonlyMap<MethodName, Image>;
}

export const BICUBIC = "bicubic";

/** What an enlargement starts from, and what it should become. */
export interface TestPair {
  /** Cropped to a multiple of the scale. */
  readonly hr: Image;
  /** Rounded to 8 bits, as a camera's photo is. */
  readonly lr: Image;
}

export interface TestPairOptions extends Pick<EvaluationOptions, "kernel" | "downsampling"> {
  readonly noise?: Noise | undefined;
  /** Quality of the JPEG file that the LR image goes through. None: it does not. */
  readonly jpeg?: number | undefined;
}

/** Evaluates a model on one HR photo. */
export async function evaluatePhoto(photo: Image, model: Model, options: EvaluationOptions): Promise<PhotoEvaluation> {
  return evaluatePair(await testPair(photo, model.scale, options), model, options);
}

/** Degrades an HR photo. */
export async function testPair(photo: Image, scale: number, options: TestPairOptions): Promise<TestPair> {
  const { kernel, downsampling, noise, jpeg } = options;
  const hr = modCrop(photo, scale);
  const low = degrade(hr, { kernel, downsampling, scale, noise });
  return { hr, lr: jpeg === undefined ? roundedTo8Bits(low) : await throughJpeg(low, jpeg) };
}

/**
 * Evaluates a model on a pair.
 * @param options kernel and downsampling are those that the model is adapted with
 */
export async function evaluatePair(pair: TestPair, model: Model, options: EvaluationOptions): Promise<PhotoEvaluation> {
  const { scale } = model;
  const { hr, lr } = pair;
  const { computer } = options;
  const enlarged = new Map<MethodName, Image>([[BICUBIC, interpolateLow(lr, scale, [hr.height, hr.width])]]);
  const { snapshots } = await adapt(model, lr, {
    degradation: { kernel: options.kernel, downsampling: options.downsampling, scale },
    updates: options.updates.at(-1) ?? 0,
    snapshotsAt: options.updates,
    computer,
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
  });
  for (const updates of options.updates) {
    enlarged.set(
      String(updates),
      await enlargeWith({ ...model, parameters: snapshots.get(updates)! }, lr, { computer }),
    );
  }
  const score = (measure: typeof psnrY) =>
    Object.fromEntries([...enlarged].map(([method, image]) => [method, measure(hr, image, scale)]));
  return { hr, lr, enlarged, psnrY: score(psnrY), ssimY: score(ssimY) };
}

/** Means over photos, method by method. */
export function meanScores(all: readonly Scores[]): Scores {
  const mean = (pick: (scores: Scores) => Readonly<Record<MethodName, number>>) => {
    const methods = Object.keys(pick(all[0]!));
    return Object.fromEntries(
      methods.map((method) => [method, all.reduce((sum, scores) => sum + pick(scores)[method]!, 0) / all.length]),
    );
  };
  return { psnrY: mean((scores) => scores.psnrY), ssimY: mean((scores) => scores.ssimY) };
}

function roundedTo8Bits(image: Image): Image {
  return createImage(
    image.height,
    image.width,
    image.channels,
    Float32Array.from(toBytes(image), (level) => level / 255),
  );
}
