/** Measures one job. */
import {
  adapt,
  chooseScale,
  cropImage,
  type DegradationOptions,
  encodePng,
  enlargeWith,
  type Image,
  InputError,
  interpolateLow,
  type Model,
  type NetworkComputer,
  psnrY,
  readImage,
  ssimY,
  writeFileAtomically,
  zssr,
} from "@mzsr/mzsr";
import { type TestPair, testPair } from "../photos/evaluate-photo.js";
import { finiteImage } from "../photos/finite-image.js";
import { hardestWindow, windowAround } from "../report/detail.js";
import { type Case, cropFile, type Job, type JobResult, type Measured, type Subject } from "./job.js";
import { methodName } from "./methods.js";

/** Side of the square that pictures are chosen by, and their size, in HR pixels. */
const DETAIL_SIDE = 48;
const CROP = { height: 96, width: 128 };

/** @throws InputError for images that cannot be used, RunError when an adaptation diverges */
export async function measure(job: Job, models: readonly Model[], computer: NetworkComputer): Promise<JobResult> {
  const { key, case: photo, subject } = job;
  const pair = await pairOf(photo);
  const degradation = { kernel: photo.blur, downsampling: photo.downsampling, scale: photo.scale };
  const bicubic = interpolateLow(pair.lr, photo.scale, [pair.hr.height, pair.hr.width]);
  const model = subject.kind === "model" ? subject.name : null;
  const pictures = new Pictures(job.crops, pair.hr, bicubic, photo.scale);
  const methods: Measured[] = [];
  const problem = { pair, degradation, bicubic, computer };
  for await (const { image, ...measured } of enlargements(subject, models, problem, job.curve)) {
    finiteImage(image, photo.image);
    await pictures.write({ method: measured.method, model }, image);
    methods.push({ ...measured, ...scored(pair, image, photo.scale) });
  }
  const { dataset, image, scale, kernel, downsampling } = photo;
  return {
    ...{ key, dataset, image, scale, kernel, downsampling },
    ...{ model, methods },
  };
}

/** The photo and its LR image, read or made. */
async function pairOf({ hr, lr, scale, blur, downsampling }: Case): Promise<TestPair> {
  const photo = await readImage(hr);
  const made = await testPair(photo, scale, { kernel: blur, downsampling });
  if (lr === undefined) return made;
  const given = await readImage(lr);
  if (given.height === made.lr.height && given.width === made.lr.width) return { hr: made.hr, lr: given };
  throw new InputError(`is ${given.width}×${given.height}, its HR image ${photo.width}×${photo.height}`, {
    where: lr,
    expected: `${made.lr.width}×${made.lr.height} for ×${scale}`,
  });
}

type Enlargement = Omit<Measured, "psnr_y" | "ssim_y"> & { readonly image: Image };

interface Problem {
  readonly computer: NetworkComputer;
  readonly pair: TestPair;
  readonly degradation: DegradationOptions;
  readonly bicubic: Image;
}

async function* enlargements(
  subject: Subject,
  models: readonly Model[],
  problem: Problem,
  curve: boolean,
): AsyncGenerator<Enlargement> {
  if (subject.kind === "bicubic") yield byInterpolation(problem);
  else if (subject.kind === "zssr") yield await byZssr(subject.updates, problem, curve);
  else yield* byModel(chooseScale(models[subject.index]!, problem.degradation.scale), subject.updates, problem, curve);
}

function byInterpolation({ pair: { hr, lr }, degradation }: Problem): Enlargement {
  const started = performance.now();
  const image = interpolateLow(lr, degradation.scale, [hr.height, hr.width]);
  return { method: "bicubic", image, updates: 0, seconds: secondsSince(started) };
}

async function byZssr(
  updates: number,
  { pair, degradation, computer }: Problem,
  followed: boolean,
): Promise<Enlargement> {
  const { scale } = degradation;
  const curve = new Curve();
  // What following takes is not ZSSR's.
  let [started, spent] = [performance.now(), 0];
  const follow = async ({ parameters }: { readonly parameters: Float32Array }) => {
    spent += secondsSince(started);
    const before = performance.now();
    const image = await enlargeWith({ architecture: ZSSR_NETWORK, scale, parameters }, pair.lr, { computer });
    curve.add(spent, secondsSince(before), psnrY(pair.hr, image, scale));
    started = performance.now();
  };
  const { model, losses, converged } = await zssr(pair.lr, {
    ...{ degradation, updates, architecture: ZSSR_NETWORK, computer },
    ...(followed ? { onState: follow } : {}),
  });
  const image = await enlargeWith(model, pair.lr, { computer });
  const seconds = spent + secondsSince(started);
  const points = followed ? { curve: curve.points() } : {};
  return { method: "zssr", image, updates: losses.length, seconds, converged, ...points };
}

/** The paper's, as that of MZSR. */
const ZSSR_NETWORK = { depth: 8, width: 64 };

async function* byModel(
  model: Model,
  updates: readonly number[],
  { pair, degradation, computer }: Problem,
  followed: boolean,
): AsyncGenerator<Enlargement> {
  const most = updates.at(-1)!;
  const counts = followed ? Array.from({ length: most + 1 }, (_, step) => step) : updates;
  const started = performance.now();
  const reached = [0];
  const { snapshots } = await adapt(model, pair.lr, {
    ...{ degradation, updates: most, snapshotsAt: counts, computer },
    onStep: ({ step }) => {
      reached[step] = secondsSince(started);
    },
  });
  const curve = new Curve();
  for (const count of counts) {
    const before = performance.now();
    const image = await enlargeWith({ ...model, parameters: snapshots.get(count)! }, pair.lr, { computer });
    const seconds = secondsSince(before);
    if (followed) curve.add(reached[count]!, seconds, psnrY(pair.hr, image, degradation.scale));
    if (!updates.includes(count)) continue;
    const method = methodName({ kind: "mzsr", updates: count });
    const points = followed && count === most ? { curve: curve.points() } : {};
    yield { method, image, updates: count, seconds: reached[count]! + seconds, ...points };
  }
}

/** Quality over time. */
class Curve {
  readonly #points: [trained: number, psnr: number][] = [];
  #enlargement = Number.POSITIVE_INFINITY;

  add(trained: number, enlargement: number, psnr: number): void {
    this.#points.push([trained, psnr]);
    this.#enlargement = Math.min(this.#enlargement, enlargement);
  }

  /** Every enlargement takes as long as the quickest: else a busy moment would turn time back. */
  points(): [seconds: number, psnr: number][] {
    return this.#points.map(([trained, psnr]) => [trained + this.#enlargement, psnr]);
  }
}

function scored({ hr }: TestPair, image: Image, scale: number): Pick<Measured, "psnr_y" | "ssim_y"> {
  return { psnr_y: psnrY(hr, image, scale), ssim_y: ssimY(hr, image, scale) };
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

/** The same part of every result: where interpolation is furthest from the photo. */
class Pictures {
  readonly #start: string | undefined;
  readonly #hr: Image;
  readonly #bicubic: Image;
  readonly #scale: number;

  constructor(start: string | undefined, hr: Image, bicubic: Image, scale: number) {
    this.#start = start;
    this.#hr = hr;
    this.#bicubic = bicubic;
    this.#scale = scale;
  }

  async write(of: { readonly method: string; readonly model: string | null }, image: Image): Promise<void> {
    if (this.#start === undefined) return;
    const side = Math.min(DETAIL_SIDE, this.#hr.height, this.#hr.width);
    const square = hardestWindow(this.#hr, this.#bicubic, side, this.#scale * 4);
    const { y, x, height, width } = windowAround(square, CROP.height, CROP.width, this.#hr);
    const part = async (whole: Image) => encodePng(cropImage(whole, y, x, height, width));
    await writeFileAtomically(cropFile(this.#start, undefined), await part(this.#hr));
    await writeFileAtomically(cropFile(this.#start, of), await part(image));
  }
}
