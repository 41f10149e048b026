import { InputError } from "../errors.js";
import { type Architecture, metaLayout, parameterLayout } from "./layout.js";
import { decodeSafetensors, encodeSafetensors, type NamedTensor, type TensorFile } from "./safetensors.js";

/** A finished network with what enlarging with it needs to know. */
export interface Model {
  readonly architecture: Architecture;
  /** How many times larger it makes an image. */
  readonly scale: number;
  /** The network's tensors in the order of `parameterLayout`. */
  readonly parameters: Float32Array;
  /** Per inner step, the natural logarithm of one rate per tensor; undefined where rates were not learned. */
  readonly innerRates: readonly Float32Array[] | undefined;
  /** Where it comes from: run, steps, configuration, … */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Marks a safetensors file as one of ours, and which generation. */
const FORMAT = "mzsr-model-1";

/** What a user has or can make. */
const EXPECTED = "the model.safetensors of a run, or what `mzsr import` makes of a TensorFlow checkpoint";

/** The bytes of a model file. */
export function encodeModel({ architecture, scale, parameters, innerRates, metadata }: Model): Uint8Array<ArrayBuffer> {
  const steps = innerRates?.length ?? 0;
  const { entries } = metaLayout(architecture, steps, steps > 0);
  const network = parameterLayout(architecture).entries.length;
  const tensors = entries.map(({ name, shape, offset, size }, i): NamedTensor => {
    const data = i < network ? parameters.subarray(offset, offset + size) : innerRates![i - network]!;
    return { name, shape, data };
  });
  return encodeSafetensors(tensors, { ...metadata, format: FORMAT, scale: String(scale) });
}

/** A model from the bytes of a file; `where` names it in errors. */
export function decodeModel(bytes: Uint8Array, where: string): Model {
  const file = decodeSafetensors(bytes, where, EXPECTED);
  const { format, scale, ...metadata } = file.metadata;
  if (format !== FORMAT) {
    throw new InputError(`not a model of this program (format ${format ?? "not given"})`, {
      where,
      expected: `${EXPECTED} (format ${FORMAT})`,
    });
  }
  const architecture = architectureOf(file, where);
  const { entries, size } = parameterLayout(architecture);
  // All shapes first: a first kernel without elements may claim any width, and that many parameters.
  const values = entries.map(({ name, shape }) => tensorOf(file, name, shape, where));
  const parameters = new Float32Array(size);
  entries.forEach(({ offset }, i) => void parameters.set(values[i]!, offset));
  const innerRates = innerRatesOf(file, entries.length, where);
  const known = entries.length + (innerRates?.length ?? 0);
  if (file.tensors.size !== known) {
    throw new InputError(`${file.tensors.size} tensors`, { where, expected: `${known}, each of them part of a model` });
  }
  return { architecture, scale: scaleOf(scale, where), parameters, innerRates, metadata };
}

/** Depth from the number of kernels, width from the first one; the shapes of all are checked afterwards. */
function architectureOf({ tensors }: TensorFile, where: string): Architecture {
  let depth = 0;
  while (tensors.has(`conv${depth + 1}/kernel`)) depth++;
  const width = tensors.get("conv1/kernel")?.shape[3];
  if (depth < 2 || width === undefined || width < 1) {
    throw new InputError(`no network in it (${depth} convolution kernels)`, {
      where,
      expected: "tensors conv1/kernel [3,3,3,width], conv1/bias, conv2/kernel, …",
    });
  }
  return { depth, width };
}

function innerRatesOf(file: TensorFile, tensors: number, where: string): Float32Array[] | undefined {
  const rates: Float32Array[] = [];
  while (file.tensors.has(`inner_rate/${rates.length}`)) {
    rates.push(tensorOf(file, `inner_rate/${rates.length}`, [tensors], where));
  }
  return rates.length === 0 ? undefined : rates;
}

function tensorOf(file: TensorFile, name: string, shape: readonly number[], where: string): Float32Array {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) throw new InputError(`tensor ${name} is missing`, { where });
  if (tensor.shape.join() !== shape.join()) {
    throw new InputError(`tensor ${name} has shape [${tensor.shape}]`, { where, expected: `[${shape}]` });
  }
  if (!(tensor.data instanceof Float32Array)) {
    throw new InputError(`tensor ${name} is not float32`, { where, expected: "F32" });
  }
  const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new InputError(`tensor ${name} holds ${tensor.data[bad]} at element ${bad}`, {
      where,
      expected: "finite numbers",
    });
  }
  return tensor.data;
}

function scaleOf(text: string | undefined, where: string): number {
  const scale = Number(text);
  if (!Number.isInteger(scale) || scale < 2 || scale > 4) {
    throw new InputError(`scale is ${text ?? "not given"}`, { where, expected: "2, 3 or 4" });
  }
  return scale;
}
