/**
 * The network as a TensorFlow.js layers model (`tf.loadLayersModel`): `model.json` with the topology as Keras writes it, and a file of
 * weights beside it. Input `ilr` and output `sr` are [n, h, w, 3] in [0, 1], of any size.
 */
import { CHANNELS, type Model, parameterLayout } from "@mzsr/mzsr";
import { VERSION } from "../version.js";

export interface LayersModel {
  readonly json: Uint8Array;
  /** Little-endian float32. */
  readonly weights: Uint8Array;
}

/** @param weightsFile the name of the file of weights, which lies beside the topology */
export function tfjsLayersModel(model: Model, weightsFile: string): LayersModel {
  const { architecture, parameters, scale, metadata } = model;
  const weights = parameterLayout(architecture).entries.map(({ name, shape }) => ({ name, shape, dtype: "float32" }));
  const json = {
    format: "layers-model",
    generatedBy: `mzsr-cluster ${VERSION}`,
    convertedBy: null,
    modelTopology: {
      keras_version: "2.15.0",
      backend: "tensorflow",
      model_config: { class_name: "Functional", config: functional(architecture) },
    },
    weightsManifest: [{ paths: [weightsFile], weights }],
    userDefinedMetadata: { ...metadata, scale: String(scale) },
  };
  return {
    json: Buffer.from(`${JSON.stringify(json, null, 1)}\n`),
    weights: new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength),
  };
}

function functional({ depth, width }: Model["architecture"]) {
  const input = {
    class_name: "InputLayer",
    name: "ilr",
    config: { batch_input_shape: [null, null, null, CHANNELS], dtype: "float32", sparse: false, name: "ilr" },
    inbound_nodes: [],
  };
  const convolutions = Array.from({ length: depth }, (_, i) => {
    const [last, before] = [i === depth - 1, i === 0 ? "ilr" : `conv${i}`];
    return convolution(`conv${i + 1}`, before, last ? CHANNELS : width, last ? "linear" : "relu");
  });
  const residual = {
    class_name: "Add",
    name: "sr",
    config: { name: "sr", trainable: true, dtype: "float32" },
    inbound_nodes: [[inbound("ilr"), inbound(`conv${depth}`)]],
  };
  return {
    name: "mzsr",
    trainable: true,
    layers: [input, ...convolutions, residual],
    input_layers: [["ilr", 0, 0]],
    output_layers: [["sr", 0, 0]],
  };
}

function convolution(name: string, before: string, filters: number, activation: "relu" | "linear") {
  return {
    class_name: "Conv2D",
    name,
    config: {
      ...{ name, trainable: true, dtype: "float32", filters, activation },
      ...{ kernel_size: [3, 3], strides: [1, 1], dilation_rate: [1, 1] },
      ...{ padding: "same", data_format: "channels_last", use_bias: true },
    },
    inbound_nodes: [[inbound(before)]],
  };
}

/** The only output of a layer that is used once. */
function inbound(layer: string) {
  return [layer, 0, 0, {}];
}
