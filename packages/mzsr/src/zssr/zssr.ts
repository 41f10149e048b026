/**
 * ZSSR (Shocher, Cohen, Irani: "Zero-Shot" Super-Resolution using Deep Internal Learning, CVPR 2018): a network from random
 * weights is trained on the photo alone, for thousands of updates, to undo the photo's own degradation. MZSR takes a few
 * updates where this takes some thousand; it is what MZSR is compared with.
 *
 * Every update sees one crop of an HR father: the photo or a smaller version of it (likelier the larger), in one of the
 * eight flips and rotations. The learning rate falls when the error of the photo's reconstruction stops falling.
 */
import { adaptationPairs, requireColour } from "../adaptation/adaptation-pairs.js";
import { BackendComputer } from "../computing/backend-computer.js";
import type { NetworkComputer } from "../computing/network-computer.js";
import { type DegradationOptions, degrade, interpolateLow } from "../degradation/degrade.js";
import { cropImage, DIHEDRAL_TRANSFORMS, type Image, transformImage } from "../imaging/image.js";
import { imresize } from "../imaging/resize.js";
import { Adam } from "../meta-learning/adam.js";
import { initialParameters } from "../model/initial.js";
import type { Architecture } from "../model/layout.js";
import type { Model } from "../model/model.js";
import { Draws } from "../random/draws.js";
import { Plateau } from "./plateau.js";

export interface ZssrProgress {
  /** Updates done, from 1. */
  readonly step: number;
  /** Updates at most. */
  readonly updates: number;
  /** L1 on this update's crop. */
  readonly loss: number;
  readonly learningRate: number;
}

export interface ZssrOptions {
  /** How the photo came to be, as far as it is known. */
  readonly degradation: DegradationOptions;
  /** Default: the paper's, depth 8 and width 64. */
  readonly architecture?: Architecture;
  /** Of the initial weights and the crops. Default 1. */
  readonly seed?: number;
  /** At most; it ends earlier when the learning rate is below the smallest. Default 3000. */
  readonly updates?: number;
  /** Adam's rate at the start. Default 1e-3. */
  readonly learningRate?: number;
  /** Default 1e-6. */
  readonly smallestRate?: number;
  readonly onStep?: (progress: ZssrProgress) => void;
  /** Every 50 updates: the network as it is then. Training waits for it. */
  readonly onState?: (state: { readonly step: number; readonly parameters: Float32Array }) => Promise<void>;
  /** Default: the active TensorFlow.js backend of this thread. */
  readonly computer?: NetworkComputer | undefined;
}

export interface ZssrResult {
  /** The network that fits the photo; `enlarge` it with that. */
  readonly model: Model;
  /** L1 on each update's crop. */
  readonly losses: readonly number[];
  /** Whether the learning rate ended it, not the number of updates. */
  readonly converged: boolean;
}

const DEFAULT_ARCHITECTURE: Architecture = { depth: 8, width: 64 };
/** The authors' code. */
const DEFAULT_UPDATES = 3000;
/** Side of the crops, in pixels. */
const CROP_SIDE = 128;
/** Sizes of the fathers, as shares of the photo's. */
const FATHERS = [1, 0.9, 0.8, 0.7, 0.6, 0.5] as const;
/** Updates between two measurements of the reconstruction error. */
const MEASURED_EVERY = 50;
/** First word of this stream of random numbers. */
const STREAM = 20;

/**
 * Trains a network on one photo. Nothing stays allocated on the backend or the GPU.
 * @throws InputError for anything but RGB
 */
export async function zssr(photo: Image, options: ZssrOptions): Promise<ZssrResult> {
  requireColour(photo);
  const { degradation, architecture = DEFAULT_ARCHITECTURE, seed = 1, updates = DEFAULT_UPDATES, onStep } = options;
  const { learningRate = 1e-3, smallestRate = 1e-6, computer = new BackendComputer() } = options;
  const draws = new Draws(seed, [STREAM, 0, 0]);
  let parameters = initialParameters(architecture, draws);
  const adam = new Adam(parameters.length);
  const plateau = new Plateau({ learningRate, smallestRate });
  const fathers = fathersOf(photo, degradation.scale);
  const losses: number[] = [];
  // What the error is measured on: of a large photo, its most structured parts.
  const trainer = await computer.trainer(architecture, adaptationPairs(degradation, photo, { degradation }));
  try {
    while (losses.length < updates && !plateau.over) {
      const { gradient, loss } = await trainer.gradient(parameters, drawPair(fathers, degradation, draws));
      const next = Float64Array.from(parameters);
      adam.step(next, gradient, plateau.rate);
      parameters = Float32Array.from(next);
      losses.push(loss);
      onStep?.({ step: losses.length, updates, loss, learningRate: plateau.rate });
      if (losses.length % MEASURED_EVERY !== 0) continue;
      plateau.add(await trainer.squaredError(parameters));
      await options.onState?.({ step: losses.length, parameters });
    }
  } finally {
    trainer.dispose();
  }
  const metadata = { method: "zssr", updates: String(losses.length) };
  const model = { architecture, scale: degradation.scale, parameters, innerRates: undefined, metadata };
  return { model, losses, converged: plateau.over };
}

interface Father {
  readonly image: Image;
  /** Likelier the larger: proportional to the share of the photo's size. */
  readonly weight: number;
}

/** The photo and its smaller versions, as far as they have a crop to give. */
function fathersOf(photo: Image, scale: number): Father[] {
  const smallest = 16 * scale;
  return FATHERS.flatMap((share) => {
    const image = share === 1 ? photo : imresize(photo, share);
    const enough = share === 1 || Math.min(image.height, image.width) >= smallest;
    return enough ? [{ image, weight: share }] : [];
  });
}

/** One crop of a father as target, and what its degradation interpolates to as input. */
function drawPair(fathers: readonly Father[], degradation: DegradationOptions, draws: Draws) {
  const { image } = drawFather(fathers, draws);
  const { scale } = degradation;
  const side = Math.min(CROP_SIDE, image.height, image.width);
  const cut = side < scale ? side : side - (side % scale);
  const corner = [draws.integer(image.height - cut + 1), draws.integer(image.width - cut + 1)] as const;
  const crop = cropImage(image, ...corner, cut, cut);
  // Turned first and degraded then: the kernel does not turn with the photo.
  const y = transformImage(crop, draws.integer(DIHEDRAL_TRANSFORMS));
  const { noise } = degradation;
  // Noise that repeated itself would be learned.
  const fresh = noise === undefined ? {} : { noise: { ...noise, seed: draws.integer(2 ** 31) } };
  const x = interpolateLow(degrade(y, { ...degradation, ...fresh }), scale, [cut, cut]);
  return { shape: [1, cut, cut, 3] as const, x: x.data, y: y.data };
}

function drawFather(fathers: readonly Father[], draws: Draws): Father {
  const sum = fathers.reduce((total, { weight }) => total + weight, 0);
  let left = draws.uniform(0, sum);
  for (const father of fathers) {
    left -= father.weight;
    if (left < 0) return father;
  }
  return fathers[0]!;
}
