/** Fits an estimator's part to samples. */
import { Draws } from "../random/draws.js";
import { ERROR_FLOOR, type EstimatorPart, estimateRoot, expectedError } from "./estimator.js";
import { SYMMETRIES } from "./features.js";
import { type Examples, fitRegression } from "./fit-regression.js";
import { type KernelRoot, widthsOf } from "./kernel-root.js";
import type { Regression } from "./regression.js";
import type { TrainingSample } from "./training-sample.js";

/** A sample, and which photo it was made of. */
export interface PhotoSample extends TrainingSample {
  readonly photo: number;
}

export interface FitProgress {
  /** Regressions done, from 1. */
  readonly done: number;
  readonly of: number;
}

/** Members, each trained without every fourth photo: their errors there are those of photos never seen. */
const FOLDS = 4;
const ROOT = { ridge: 200, hidden: 24, epochs: 15 } as const;
const ERROR = { ridge: 300, hidden: 0, epochs: 0 } as const;

/** @throws RangeError with samples of fewer photos than members */
export function fitEstimatorPart(
  samples: readonly PhotoSample[],
  seed: number,
  onProgress: (progress: FitProgress) => void = () => {},
): EstimatorPart {
  const photos = [...new Set(samples.map(({ photo }) => photo))].sort((a, b) => a - b);
  if (photos.length < FOLDS) throw new RangeError(`${photos.length} photos are fewer than ${FOLDS}`);
  const foldOf = new Map(photos.map((photo, i) => [photo, i % FOLDS]));
  const members: Regression[] = [];
  const errors = new Map<PhotoSample, number>();
  for (let fold = 0; fold < FOLDS; fold++) {
    const kept = samples.filter(({ photo }) => foldOf.get(photo) !== fold);
    const member = fitRegression(flippedAndTurned(kept), { ...ROOT, draws: new Draws(seed, [fold, 0, 0]) });
    for (const sample of samples.filter(({ photo }) => foldOf.get(photo) === fold)) {
      errors.set(sample, widthError(estimateRoot({ members: [member] }, sample.features), sample.root));
    }
    members.push(member);
    onProgress({ done: fold + 1, of: FOLDS });
  }
  return { members, error: fitError(samples, errors, seed) };
}

/** Mean |Δσ| of the two widths, in HR pixels. */
export function widthError(estimate: KernelRoot, truth: KernelRoot): number {
  const [a, b] = [widthsOf(estimate), widthsOf(truth)];
  return (Math.abs(a.sigma1 - b.sigma1) + Math.abs(a.sigma2 - b.sigma2)) / 2;
}

/** Of the logarithm, then moved so that the mean of its exponentials is the mean error. */
function fitError(samples: readonly PhotoSample[], errors: ReadonlyMap<PhotoSample, number>, seed: number): Regression {
  const logarithm = (sample: PhotoSample) => Float64Array.of(Math.log(errors.get(sample)! + ERROR_FLOOR));
  const x = samples.flatMap(({ features }) => SYMMETRIES.map(({ order }) => permuted(features, order)));
  const y = samples.flatMap((sample) => SYMMETRIES.map(() => logarithm(sample)));
  const fitted = fitRegression({ x, y }, { ...ERROR, draws: new Draws(seed, [FOLDS, 0, 0]) });
  const mean = [...errors.values()].reduce((sum, error) => sum + error, 0) / samples.length;
  const predicted =
    samples.reduce((sum, { features }) => sum + expectedError({ error: fitted }, features), 0) / samples.length;
  return { ...fitted, bias: fitted.bias.map((bias) => bias + Math.log(mean / predicted)) };
}

function flippedAndTurned(samples: readonly PhotoSample[]): Examples {
  const x: Float64Array[] = [];
  const y: Float64Array[] = [];
  for (const { features, root } of samples) {
    for (const { order, exchanged, lean } of SYMMETRIES) {
      x.push(permuted(features, order));
      const { xx, yy, xy } = root;
      y.push(Float64Array.of(exchanged ? yy : xx, exchanged ? xx : yy, lean * xy));
    }
  }
  return { x, y };
}

function permuted(features: Float64Array, order: Int32Array): Float64Array {
  return Float64Array.from(order, (i) => features[i]!);
}
