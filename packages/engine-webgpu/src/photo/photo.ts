/** Adaptation to a photo and its enlargement on a GPU: what `adapt` and `enlargeWith` of the core do on TensorFlow.js. */
import {
  type Adaptation,
  type AdaptationOptions,
  type AdaptationPair,
  adaptationPairs,
  cropImage,
  defaultRates,
  type EnlargementOptions,
  type Image,
  InputError,
  interpolateLow,
  type Model,
  type PatchPairs,
} from "@mzsr/mzsr";
import type { EngineDevice } from "../device/device.js";
import { DescentEngine } from "./descent-engine.js";
import { ForwardEngine } from "./forward-engine.js";
import { tilesOf } from "./tiles.js";

/**
 * Adapts a model to one photo; nothing stays allocated on the device, also after an error.
 *
 * @throws InputError for anything but RGB, or a photo that the GPU's memory does not do for; RunError when it fails
 */
export async function adaptOnGpu(
  device: EngineDevice,
  model: Model,
  photo: Image,
  options: AdaptationOptions,
): Promise<Adaptation> {
  const { updates, onStep, rates = defaultRates(model), snapshotsAt = [] } = options;
  const wanted = new Set([...snapshotsAt, updates]);
  const snapshots = new Map<number, Float32Array>();
  const losses: number[] = [];
  let parameters: Float32Array = model.parameters.slice();
  if (wanted.has(0)) snapshots.set(0, parameters);
  if (updates === 0) return { parameters, snapshots, losses };
  const pairs = pairsOf(adaptationPairs(model, photo, options));
  const [patches, height, width] = pairs.shape;
  const shape = { architecture: model.architecture, patches: { patches, height, width } };
  const engine = await DescentEngine.create(device, shape);
  try {
    for (let step = 0; step < updates; step++) {
      const next = await engine.step(parameters, pairs, rates(step));
      parameters = next.parameters;
      losses.push(next.loss);
      if (wanted.has(step + 1)) snapshots.set(step + 1, parameters);
      onStep?.({ step: step + 1, updates, loss: next.loss });
    }
  } finally {
    engine.destroy();
  }
  return { parameters, snapshots, losses };
}

/**
 * Enlarges a photo by the model's scale, in tiles that give the result of the whole image.
 *
 * @throws InputError for anything but RGB; RunError when the GPU fails
 */
export async function enlargeOnGpu(
  device: EngineDevice,
  { architecture, scale, parameters }: Pick<Model, "architecture" | "scale" | "parameters">,
  photo: Image,
  { tileSide = DEFAULT_TILE_SIDE }: EnlargementOptions = {},
): Promise<Image> {
  if (photo.channels !== 3) throw new InputError(`an image of ${photo.channels} channels`, { expected: "RGB" });
  const input = interpolateLow(photo, scale, [photo.height * scale, photo.width * scale]);
  const { side, tiles } = tilesOf(input, tileSide, architecture.depth);
  const engine = await ForwardEngine.create(device, { architecture, ...side });
  const data = new Float32Array(input.data.length);
  try {
    for (const { y, x, top, left, bottom, right } of tiles) {
      const tile = await engine.apply(parameters, cropImage(input, y, x, side.height, side.width).data);
      for (let row = top; row < bottom; row++) {
        const start = 3 * ((row - y) * side.width + left - x);
        data.set(tile.subarray(start, start + 3 * (right - left)), 3 * (row * input.width + left));
      }
    }
  } finally {
    engine.destroy();
  }
  return { ...input, data };
}

const DEFAULT_TILE_SIDE = 512;

/** Pairs of one size as patches of one set: the mean over all is the mean of their means. */
function pairsOf(pairs: readonly AdaptationPair[]): PatchPairs {
  const { height, width } = pairs[0]!.y;
  const each = 3 * height * width;
  const x = new Float32Array(pairs.length * each);
  const y = new Float32Array(pairs.length * each);
  pairs.forEach((pair, i) => {
    x.set(pair.x.data, i * each);
    y.set(pair.y.data, i * each);
  });
  return { shape: [pairs.length, height, width, 3], x, y };
}
