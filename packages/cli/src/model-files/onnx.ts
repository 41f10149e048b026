/**
 * The network as an ONNX graph: `output = input + conv_D(ReLU(… conv_1(input)))` for images of any size.
 */
import { type Model, scaleMetadata, scalesInWords } from "@mzsr/mzsr";
import { VERSION } from "../version.js";
import { channelsFirstTensors } from "./channels-first.js";
import { encodeOnnx, type OnnxModel, type OnnxNode, type OnnxTensor, type OnnxValue } from "./onnx-schema.js";

const FLOAT = 1;
/** Read by every runtime of the last years. */
const IR_VERSION = 8;
const OPSET = 13;
const CHANNELS = 3;

/** The bytes of an ONNX file. Input `ilr` and output `sr` are [n, 3, h, w] in [0, 1]. */
export function onnxModel(model: Model): Uint8Array {
  return encodeOnnx(onnxGraph(model));
}

function onnxGraph(model: Model): OnnxModel {
  const { depth } = model.architecture;
  const factors = scalesInWords(model);
  return {
    irVersion: IR_VERSION,
    producerName: "mzsr-cluster",
    producerVersion: VERSION,
    docString:
      `Zero-shot super-resolution, scale ${factors}. Input: the low-resolution image enlarged ${factors} times ` +
      "by MATLAB's bicubic interpolation, RGB in [0, 1], NCHW. Adapt the weights to the image for full quality.",
    opsetImport: [{ domain: "", version: OPSET }],
    metadataProps: Object.entries({ ...model.metadata, ...scaleMetadata(model) }).map(([key, value]) => ({
      key,
      value,
    })),
    graph: {
      name: "mzsr",
      node: nodes(depth),
      initializer: channelsFirstTensors(model).map(initializer),
      input: [imageValue("ilr")],
      output: [imageValue("sr")],
    },
  };
}

function nodes(depth: number): OnnxNode[] {
  const chain: OnnxNode[] = [];
  let activation = "ilr";
  for (let layer = 1; layer <= depth; layer++) {
    chain.push(convolution(layer, activation));
    activation = `conv${layer}.out`;
    if (layer === depth) break;
    chain.push({ name: `relu${layer}`, opType: "Relu", input: [activation], output: [`relu${layer}.out`] });
    activation = `relu${layer}.out`;
  }
  return [...chain, { name: "residual", opType: "Add", input: ["ilr", activation], output: ["sr"] }];
}

function convolution(layer: number, input: string): OnnxNode {
  return {
    name: `conv${layer}`,
    opType: "Conv",
    input: [input, `conv${layer}.weight`, `conv${layer}.bias`],
    output: [`conv${layer}.out`],
    attribute: [
      { name: "kernel_shape", type: "INTS", ints: [3, 3] },
      { name: "pads", type: "INTS", ints: [1, 1, 1, 1] },
    ],
  };
}

function initializer(tensor: ReturnType<typeof channelsFirstTensors>[number]): OnnxTensor {
  const { name, shape, data } = tensor;
  return { name, dims: shape, dataType: FLOAT, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function imageValue(name: string): OnnxValue {
  const dim = [{ dimParam: "n" }, { dimValue: CHANNELS }, { dimParam: "h" }, { dimParam: "w" }];
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}
