/** Networks from other programs: a chain of 3×3 convolutions, found among named tensors. */
import { InputError } from "../errors.js";
import { axesReversed, CHANNELS, KERNEL_SIDE, parameterLayout } from "./layout.js";
import type { Model } from "./model.js";
import type { NamedTensor } from "./safetensors.js";

const EXPECTED =
  "the weight [out, in, 3, 3] and bias [out] of each convolution, from 3 channels to 3 (PyTorch), or …/kernel [3, 3, in, out]";

const PLACES = KERNEL_SIDE * KERNEL_SIDE;

/** Of one convolution; the kernel HWIO. */
interface Layer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
}

/**
 * The network that tensors of these names are, as PyTorch calls them (`conv1.weight` [out, in, 3, 3], `conv1.bias`, or any other names
 * before the last point, in the order of the numbers in them) or TensorFlow (`conv1/kernel` [3, 3, in, out], `conv1/bias`).
 *
 * @param where the file's name, for errors
 * @param imported what it was, for the model's card
 * @throws InputError when they are no such chain, naming the tensor
 */
export function modelOfTensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  scale: number,
  where: string,
  imported: string,
): Model {
  const layers = layersOf(tensors, where);
  const width = layers[0]?.outputs ?? 0;
  if (layers.length < 2) {
    throw new InputError(`no network in it (${layers.length} convolutions)`, { where, expected: EXPECTED });
  }
  layers.forEach(({ name, inputs, outputs }, i) => {
    const [from, to] = [i === 0 ? CHANNELS : width, i === layers.length - 1 ? CHANNELS : width];
    if (inputs === from && outputs === to) return;
    const expected = `${from} → ${to}, in a chain of ${layers.length} convolutions with ${width} channels between them`;
    throw new InputError(`${name} leads from ${inputs} to ${outputs} channels`, { where, expected });
  });
  const architecture = { depth: layers.length, width };
  const { entries, size } = parameterLayout(architecture);
  const parameters = new Float32Array(size);
  layers.forEach(({ kernel, bias }, i) => {
    parameters.set(kernel, entries[2 * i]!.offset);
    parameters.set(bias, entries[2 * i + 1]!.offset);
  });
  const bad = parameters.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new InputError(`holds ${parameters[bad]}`, { where, expected: "finite numbers" });
  return { architecture, scale, parameters, innerRates: undefined, metadata: { imported } };
}

/** In the order of the numbers in their names: `body.2` comes before `body.10`. */
function layersOf(tensors: ReadonlyMap<string, NamedTensor>, where: string): Layer[] {
  const names = [...tensors.keys()].sort(new Intl.Collator("en", { numeric: true }).compare);
  return names.flatMap((name) => {
    const [, base, kind] = /^(.*)(\.weight|\/kernel)$/.exec(name) ?? [];
    if (base === undefined) return [];
    const { shape, data } = tensors.get(name)!;
    const channelsFirst = kind === ".weight";
    const [outputs, inputs, ...sides] = channelsFirst ? shape : [shape[3], shape[2], shape[0], shape[1]];
    if (shape.length !== 4 || sides.some((side) => side !== KERNEL_SIDE)) {
      throw new InputError(`tensor ${name} has shape [${shape}]`, { where, expected: EXPECTED });
    }
    const bias = tensors.get(channelsFirst ? `${base}.bias` : `${base}/bias`);
    if (bias === undefined || bias.shape.length !== 1 || bias.shape[0] !== outputs) {
      const found = bias === undefined ? "has no bias" : `has a bias of shape [${bias.shape}]`;
      throw new InputError(`${base} ${found}`, { where, expected: EXPECTED });
    }
    const kernel = channelsFirst ? axesReversed(data, [outputs!, inputs!, PLACES]) : data;
    return [{ name, inputs: inputs!, outputs: outputs!, kernel, bias: bias.data }];
  });
}
