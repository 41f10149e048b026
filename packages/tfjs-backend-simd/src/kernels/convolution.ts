// Convolutions and their gradients: which algorithm, with how much scratch memory.

import type * as tf from "@tensorflow/tfjs-core";
import type { SimdBackend } from "../backend.js";

type ConvolutionInfo = tf.backend_util.Conv2DInfo;

/** One term of a convolution: an image [n, h, w, c] and its filter. */
export interface Term {
  readonly x: tf.TensorInfo;
  readonly filter: tf.TensorInfo;
}

/** What happens to a convolution's result on its way into the output. */
export interface Finish {
  /** Added to every pixel: one number a channel. */
  readonly bias?: tf.TensorInfo | undefined;
  readonly relu?: boolean;
  /** Same shape as the output; where it is not positive, the output is 0. */
  readonly mask?: tf.TensorInfo | undefined;
}

/** Images of fewer pixels are not worth Winograd's transforms. */
const WINOGRAD_PIXELS = 4;

/**
 * Whether to use Winograd's algorithm, made for a 3x3 filter moved by single pixels over an image padded by one. The
 * choice depends on the shape alone, so that results do too.
 */
function suitsWinograd(info: ConvolutionInfo): boolean {
  const filter = info.filterHeight === 3 && info.filterWidth === 3;
  const steps = info.strideHeight === 1 && info.strideWidth === 1;
  const dense = info.dilationHeight === 1 && info.dilationWidth === 1;
  const same = info.padInfo.top === 1 && info.padInfo.left === 1;
  const sizes = info.outHeight === info.inHeight && info.outWidth === info.inWidth;
  const pays = info.inHeight * info.inWidth >= WINOGRAD_PIXELS;
  return filter && steps && dense && same && sizes && pays;
}

function setGeometry(backend: SimdBackend, info: ConvolutionInfo): void {
  backend.kernels.gatherGeometry(
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
  );
}

/** Sum of the terms' convolutions, finished. Filters are [.., .., c, outChannels]. */
export function convolve(
  backend: SimdBackend,
  terms: readonly [Term, Term?],
  info: ConvolutionInfo,
  finish: Finish,
): tf.TensorInfo {
  return run(backend, terms, info, finish, false);
}

/** Sum of the terms' input gradients, finished. Each x is an output gradient; filters are [.., .., inChannels, c]. */
export function inputGradient(
  backend: SimdBackend,
  terms: readonly [Term, Term?],
  info: ConvolutionInfo,
  finish: Finish,
): tf.TensorInfo {
  return run(backend, terms, info, finish, true);
}

function run(
  backend: SimdBackend,
  [first, second]: readonly [Term, Term?],
  info: ConvolutionInfo,
  { bias, relu, mask }: Finish,
  transposed: boolean,
): tf.TensorInfo {
  const { kernels } = backend;
  const out = backend.makeOutput(transposed ? info.inShape : info.outShape, "float32");
  const at = (tensor: tf.TensorInfo | undefined) => (tensor === undefined ? 0 : backend.address(tensor));
  const k1 = first.x.shape[3]!;
  const k2 = second?.x.shape[3] ?? 0;
  const columns = out.shape[3]!;
  const operands = [at(first.x), at(first.filter), k1, at(second?.x), at(second?.filter), k2] as const;
  const results = [at(bias), at(mask), at(out)] as const;
  const flags = [transposed ? 1 : 0, relu ? 1 : 0] as const;
  if (suitsWinograd(info)) {
    const scratch = kernels.winogradConvolveScratch(k1, k2, columns) >>> 0;
    withScratch(backend, out, scratch, (address) =>
      kernels.winogradConvolve(
        ...operands,
        ...results,
        info.batchSize,
        info.inHeight,
        info.inWidth,
        columns,
        ...flags,
        address,
      ),
    );
    return out;
  }
  setGeometry(backend, info);
  const [n, h, w] = first.x.shape as [number, number, number];
  const [, outH, outW] = out.shape as [number, number, number];
  const scratch = kernels.gatherConvolveScratch(k1, k2, columns) >>> 0;
  withScratch(backend, out, scratch, (address) =>
    kernels.gatherConvolve(...operands, ...results, n, h, w, outH, outW, columns, ...flags, address),
  );
  return out;
}

/** An image and the gradient of its convolution's output. */
export interface GradientTerm {
  readonly x: tf.TensorInfo;
  readonly dy: tf.TensorInfo;
}

/** Sum of the terms' filter gradients [.., .., inChannels, outChannels]. */
export function filterGradient(
  backend: SimdBackend,
  [first, second]: readonly [GradientTerm, GradientTerm?],
  info: ConvolutionInfo,
): tf.TensorInfo {
  const { kernels } = backend;
  const { inChannels, outChannels } = info;
  const out = backend.makeOutput([info.filterHeight, info.filterWidth, inChannels, outChannels], "float32");
  const at = (tensor: tf.TensorInfo | undefined) => (tensor === undefined ? 0 : backend.address(tensor));
  const operands = [at(first.x), at(first.dy), at(second?.x), at(second?.dy), at(out)] as const;
  const image = [info.batchSize, info.inHeight, info.inWidth, inChannels] as const;
  if (suitsWinograd(info)) {
    const scratch = kernels.winogradFilterGradientScratch(inChannels, outChannels) >>> 0;
    withScratch(backend, out, scratch, (address) =>
      kernels.winogradFilterGradient(...operands, ...image, outChannels, address),
    );
    return out;
  }
  setGeometry(backend, info);
  const scratch = kernels.gatherFilterGradientScratch(inChannels, outChannels) >>> 0;
  withScratch(backend, out, scratch, (address) =>
    kernels.gatherFilterGradient(...operands, ...image, info.outHeight, info.outWidth, outChannels, address),
  );
  return out;
}

/** Scratch memory for computing `out`, which is given back if there is none to be had. */
function withScratch(backend: SimdBackend, out: tf.TensorInfo, bytes: number, body: (address: number) => void): void {
  try {
    backend.withScratch(bytes, body);
  } catch (error) {
    backend.disposeData(out.dataId, true);
    throw error;
  }
}
