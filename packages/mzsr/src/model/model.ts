import { InputError } from "../errors.js";
import { type Architecture, metaLayout, parameterLayout } from "./layout.js";
import { decodeSafetensors, encodeSafetensors, type NamedTensor, type TensorFile } from "./safetensors.js";

/** What training found. */
export interface ModelParameters {
  /** The network's tensors in the order of `parameterLayout`. */
  readonly parameters: Float32Array;
  /** Per inner step, the natural logarithm of one rate per tensor; undefined where rates were not learned. */
  readonly innerRates: readonly Float32Array[] | undefined;
}

/** A finished network with what enlarging with it needs to know. Its own parameters are those of the last step. */
export interface Model extends ModelParameters {
  readonly architecture: Architecture;
  /** How many times larger it makes an image. */
  readonly scale: number;
  /** All factors that it was trained for, in ascending order, where these are several; `scale` is one of them. */
  readonly scales?: readonly number[] | undefined;
  /** The exponential moving average of the parameters, where the training kept one; with as many inner rates. */
  readonly ema?: ModelParameters | undefined;
  /** Where it comes from: run, steps, configuration, … */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Marks a safetensors file as one of ours, and which generation. */
const FORMAT = "mzsr-model-1";

/** What a user has or can make. */
const EXPECTED = "the model.safetensors of a run, or what `mzsr import` makes of a TensorFlow checkpoint";

/** Before the names of the moving average's tensors. */
const EMA = "ema/";

/** Which of a model's parameters: their moving average, or those of the last step. */
export const WEIGHT_CHOICES = ["ema", "last"] as const;
export type WeightChoice = (typeof WEIGHT_CHOICES)[number];

/**
 * The model with one set of parameters: what adapts, enlarges and exports takes that.
 * @param choice not given: the moving average where there is one, which usually is better than the last step
 * @param where names the model in errors
 * @throws InputError when the moving average is asked for and there is none
 */
export function chooseWeights(model: Model, choice?: WeightChoice, where = "the model"): Model {
  const { ema, ...last } = model;
  if (choice === "ema" && ema === undefined) {
    throw new InputError("there is no moving average in this model", { where, expected: "--weights last, or none" });
  }
  if (choice === "last" || ema === undefined) return last;
  return { ...last, ...ema, metadata: { ...model.metadata, weights: "ema" } };
}

/** The factors that a model enlarges by. */
export function scalesOf({ scale, scales }: Pick<Model, "scale" | "scales">): readonly number[] {
  return scales ?? [scale];
}

/** These as `2, 3 or 4`. */
export function scalesInWords(model: Pick<Model, "scale" | "scales">): string {
  const scales = scalesOf(model);
  return scales.length === 1 ? String(scales[0]) : `${scales.slice(0, -1).join(", ")} or ${scales.at(-1)}`;
}

/**
 * The model, to enlarge by `scale`.
 * @param where names the model in errors
 * @throws InputError when it was not trained for that
 */
export function chooseScale(model: Model, scale: number, where = "the model"): Model {
  if (scalesOf(model).includes(scale)) return { ...model, scale };
  const words = scalesInWords(model);
  throw new InputError(`the model enlarges ${words} times`, { where, expected: `--scale ${words}` });
}

/** How files say what a model enlarges by. */
export function scaleMetadata({ scale, scales }: Pick<Model, "scale" | "scales">): Record<string, string> {
  return { scale: String(scale), ...(scales && { scales: scales.join(",") }) };
}

/** The bytes of a model file. */
export function encodeModel({ architecture, scale, scales, ema, metadata, ...last }: Model): Uint8Array<ArrayBuffer> {
  const tensors = [
    ...tensorsOf(architecture, last, ""),
    ...(ema === undefined ? [] : tensorsOf(architecture, ema, EMA)),
  ];
  return encodeSafetensors(tensors, { ...metadata, format: FORMAT, ...scaleMetadata({ scale, scales }) });
}

function tensorsOf(architecture: Architecture, { parameters, innerRates }: ModelParameters, prefix: string) {
  const steps = innerRates?.length ?? 0;
  const { entries } = metaLayout(architecture, steps, steps > 0);
  const network = parameterLayout(architecture).entries.length;
  return entries.map(({ name, shape, offset, size }, i): NamedTensor => {
    const data = i < network ? parameters.subarray(offset, offset + size) : innerRates![i - network]!;
    return { name: prefix + name, shape, data };
  });
}

/** A model from the bytes of a file; `where` names it in errors. */
export function decodeModel(bytes: Uint8Array, where: string): Model {
  const file = decodeSafetensors(bytes, where, EXPECTED);
  const { format, scale, scales, ...metadata } = file.metadata;
  if (format !== FORMAT) {
    throw new InputError(`not a model of this program (format ${format ?? "not given"})`, {
      where,
      expected: `${EXPECTED} (format ${FORMAT})`,
    });
  }
  const architecture = architectureOf(file, where);
  const last = parametersOf(file, architecture, "", where);
  const ema = file.tensors.has(`${EMA}conv1/kernel`) ? parametersOf(file, architecture, EMA, where) : undefined;
  const sets = ema === undefined ? 1 : 2;
  const known = sets * (parameterLayout(architecture).entries.length + (last.innerRates?.length ?? 0));
  if (file.tensors.size !== known) {
    throw new InputError(`${file.tensors.size} tensors`, { where, expected: `${known}, each of them part of a model` });
  }
  const factors = {
    scale: scaleFrom(scale, where),
    ...(scales !== undefined && { scales: scalesFrom(scales, scale, where) }),
  };
  return { architecture, ...factors, ...last, ...(ema && { ema }), metadata };
}

function parametersOf(file: TensorFile, architecture: Architecture, prefix: string, where: string): ModelParameters {
  const { entries, size } = parameterLayout(architecture);
  // All shapes first: a first kernel without elements may claim any width, and that many parameters.
  const values = entries.map(({ name, shape }) => tensorOf(file, prefix + name, shape, where));
  const parameters = new Float32Array(size);
  entries.forEach(({ offset }, i) => void parameters.set(values[i]!, offset));
  return { parameters, innerRates: innerRatesOf(file, prefix, entries.length, where) };
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

function innerRatesOf(file: TensorFile, prefix: string, tensors: number, where: string): Float32Array[] | undefined {
  const rates: Float32Array[] = [];
  for (let name = `${prefix}inner_rate/0`; file.tensors.has(name); name = `${prefix}inner_rate/${rates.length}`) {
    rates.push(tensorOf(file, name, [tensors], where));
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

function scaleFrom(text: string | undefined, where: string): number {
  const scale = Number(text);
  if (!Number.isInteger(scale) || scale < 2 || scale > 4) {
    throw new InputError(`scale is ${text ?? "not given"}`, { where, expected: "2, 3 or 4" });
  }
  return scale;
}

function scalesFrom(text: string, scale: string | undefined, where: string): number[] {
  const scales = text.split(",").map((each) => scaleFrom(each, where));
  if (scales.includes(Number(scale)) && scales.every((each, i) => i === 0 || each > scales[i - 1]!)) return scales;
  throw new InputError(`scales are ${text}`, {
    where,
    expected: `some of 2,3,4 in ascending order, ${scale} among them`,
  });
}
