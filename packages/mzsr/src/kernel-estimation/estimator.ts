/** What estimates a kernel from a photo's features, and how far that is to be trusted. */
import type { Downsampling } from "../degradation/degrade.js";
import { InputError } from "../errors.js";
import { decodeSafetensors, encodeSafetensors, type NamedTensor, type TensorFile } from "../model/safetensors.js";
import { FEATURES, SYMMETRIES } from "./features.js";
import type { KernelRoot } from "./kernel-root.js";
import { predict, type Regression } from "./regression.js";

/** For one scale and downsampling. */
export interface EstimatorPart {
  /** Of Σ^½: xx, yy, xy. Each was trained without another part of the photos; the estimate is their mean. */
  readonly members: readonly Regression[];
  /** Of the logarithm of the error, |Δσ| + `ERROR_FLOOR`, in HR pixels. */
  readonly error: Regression;
}

export interface KernelEstimator {
  /** By `partName`. */
  readonly parts: ReadonlyMap<string, EstimatorPart>;
  /** Where it comes from. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a part says of a photo. */
export interface Prediction {
  readonly root: KernelRoot;
  /** Expected error of the widths, mean |Δσ| in HR pixels. */
  readonly error: number;
}

/** Keeps the logarithm of an error of nothing finite, in HR pixels. */
export const ERROR_FLOOR = 0.02;

const FORMAT = "mzsr-kernel-estimator-1";
const TENSORS = ["mean", "scale", "linear", "bias", "hiddenWeights", "hiddenBias", "outWeights"] as const;

export function partName(scale: number, downsampling: Downsampling): string {
  return `x${scale}-${downsampling}`;
}

/** The mean over the members and over the photo's flips and turns, each estimate turned back. */
export function estimateRoot({ members }: Pick<EstimatorPart, "members">, features: Float64Array): KernelRoot {
  let [xx, yy, xy] = [0, 0, 0];
  for (const member of members) {
    for (const { order, exchanged, lean } of SYMMETRIES) {
      const [first, second, third] = predict(member, features, order);
      xx += exchanged ? second! : first!;
      yy += exchanged ? first! : second!;
      xy += lean * third!;
    }
  }
  const count = members.length * SYMMETRIES.length;
  return { xx: xx / count, yy: yy / count, xy: xy / count };
}

export function expectedError({ error }: Pick<EstimatorPart, "error">, features: Float64Array): number {
  const logarithms = SYMMETRIES.map(({ order }) => predict(error, features, order)[0]!);
  const mean = logarithms.reduce((sum, value) => sum + value, 0) / logarithms.length;
  return Math.exp(mean);
}

/** The bytes of an estimator's file, safetensors. */
export function encodeEstimator({ parts, metadata }: KernelEstimator): Uint8Array<ArrayBuffer> {
  const tensors: NamedTensor[] = [];
  for (const [name, { members, error }] of parts) {
    members.forEach((member, i) => void tensors.push(...tensorsOf(`${name}/member${i}`, member)));
    tensors.push(...tensorsOf(`${name}/error`, error));
  }
  return encodeSafetensors(tensors, { ...metadata, format: FORMAT });
}

function tensorsOf(prefix: string, regression: Regression): NamedTensor[] {
  const { inputs, outputs, hidden } = regression;
  const shapes = {
    mean: [inputs],
    scale: [inputs],
    linear: [inputs, outputs],
    bias: [outputs],
    hiddenWeights: [inputs, hidden],
    hiddenBias: [hidden],
    outWeights: [hidden, outputs],
  };
  return TENSORS.map((name) => ({ name: `${prefix}/${name}`, shape: shapes[name], data: regression[name] })).filter(
    ({ data }) => data.length > 0,
  );
}

/**
 * @param where the file's name, for errors
 * @throws InputError when it is no estimator of this version
 */
export function decodeEstimator(bytes: Uint8Array, where: string): KernelEstimator {
  const file = decodeSafetensors(bytes, where);
  const expected = "an estimator that train-estimator of this version wrote";
  const { format, ...metadata } = file.metadata;
  if (format !== FORMAT) throw new InputError("is no kernel estimator", { where, expected });
  const parts = new Map<string, EstimatorPart>();
  for (const name of new Set([...file.tensors.keys()].map((tensor) => tensor.split("/")[0]!))) {
    const members: Regression[] = [];
    while (file.tensors.has(`${name}/member${members.length}/mean`)) {
      members.push(regressionOf(file, `${name}/member${members.length}`, 3, where));
    }
    if (members.length === 0) throw new InputError(`'${name}' has no members`, { where, expected });
    parts.set(name, { members, error: regressionOf(file, `${name}/error`, 1, where) });
  }
  return { parts, metadata };
}

function regressionOf(file: TensorFile, prefix: string, outputs: number, where: string): Regression {
  const hidden = file.tensors.get(`${prefix}/hiddenBias`)?.data.length ?? 0;
  const tensor = (name: (typeof TENSORS)[number], length: number): Float32Array => {
    const data = length === 0 ? new Float32Array(0) : file.tensors.get(`${prefix}/${name}`)?.data;
    if (data instanceof Float32Array && data.length === length && data.every(Number.isFinite)) return data;
    throw new InputError(`'${prefix}/${name}' is not what it should be`, {
      where,
      expected: `${length} finite numbers`,
    });
  };
  return {
    inputs: FEATURES,
    outputs,
    hidden,
    mean: tensor("mean", FEATURES),
    scale: tensor("scale", FEATURES),
    linear: tensor("linear", FEATURES * outputs),
    bias: tensor("bias", outputs),
    hiddenWeights: tensor("hiddenWeights", FEATURES * hidden),
    hiddenBias: tensor("hiddenBias", hidden),
    outWeights: tensor("outWeights", hidden * outputs),
  };
}
