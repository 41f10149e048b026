// Results are a function of shape and values alone. The fingerprints below are committed so that a change of bits, on
// whatever machine, is seen: change them only along with what the determinism contract says about versions.

import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { axpy, dualConv2D, dualConv2DBackpropFilter, l1Loss, reluGradConv2DBackpropInput } from "./index.js";
import { fingerprint, numbers } from "./testing/numbers.js";

beforeAll(async () => {
  await tf.setBackend("simd");
});

type Shape = [number, number, number, number];

function random(shape: number[], seed: number): tf.Tensor {
  return tf.tensor(numbers(tf.util.sizeFromShape(shape), seed), shape);
}

function gradient(kernel: string, inputs: Record<string, tf.Tensor>, attributes: tf.NamedAttrMap): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, { strides: 1, pad: "same", dataFormat: "NHWC", ...attributes });
}

const image = (channels: number, seed: number) => random([2, 13, 10, channels], seed) as tf.Tensor4D;
const filter = (from: number, to: number, seed: number) => random([3, 3, from, to], seed) as tf.Tensor4D;

const cases: Record<string, () => tf.Tensor> = {
  "convolution 3→8": () => tf.conv2d(image(3, 1), filter(3, 8, 2), 1, "same"),
  "convolution 64→64": () => tf.conv2d(image(64, 1), filter(64, 64, 2), 1, "same"),
  "convolution 8→3 with bias and ReLU": () =>
    tf.fused.conv2d({
      x: image(8, 1),
      filter: filter(8, 3, 2),
      bias: tf.tensor1d(numbers(3, 3)),
      strides: 1,
      pad: "same",
      activation: "relu",
    }),
  "convolution of two pixels": () => tf.conv2d(random([1, 1, 2, 5], 1) as tf.Tensor4D, filter(5, 7, 2), 1, "same"),
  "convolution 5x5, stride 2": () => tf.conv2d(image(4, 1), random([5, 5, 4, 6], 2) as tf.Tensor4D, 2, "valid"),
  "input gradient": () =>
    gradient("Conv2DBackpropInput", { dy: image(6, 1), filter: filter(5, 6, 2) }, { inputShape: [2, 13, 10, 5] }),
  "filter gradient": () =>
    gradient("Conv2DBackpropFilter", { x: image(5, 1), dy: image(6, 2) }, { filterShape: [3, 3, 5, 6] as Shape }),
  "two convolutions, masked": () =>
    dualConv2D({ x: image(5, 1), filter: filter(5, 6, 2), x2: image(7, 3), filter2: filter(7, 6, 4), y: image(6, 5) }),
  "two input gradients, masked": () =>
    reluGradConv2DBackpropInput({
      dy: image(6, 1),
      filter: filter(5, 6, 2),
      dy2: image(7, 3),
      filter2: filter(5, 7, 4),
      y: image(5, 5),
    }),
  "two filter gradients": () =>
    dualConv2DBackpropFilter({ x: image(5, 1), dy: image(6, 2), x2: image(5, 3), dy2: image(6, 4) }),
  "sum over pixels": () => tf.sum(image(21, 1), [0, 1, 2]),
  "mean of all": () => tf.mean(image(21, 1)),
  "mean absolute difference": () => l1Loss(image(21, 1), image(21, 2)),
  "exponential and logarithm": () => tf.log(tf.add(tf.exp(image(3, 1)), 0.5)),
  "y + a x": () => axpy(0.3, image(3, 1), image(3, 2)),
};

const fingerprints: Record<keyof typeof cases, string> = {
  "convolution 3→8": "50319e917ca7af7b",
  "convolution 64→64": "34f42372fef8c250",
  "convolution 8→3 with bias and ReLU": "973c780deb3274d9",
  "convolution of two pixels": "be7f445f9c5be373",
  "convolution 5x5, stride 2": "b87d98a88fc57b81",
  "input gradient": "8f1a38340cdcdcd3",
  "filter gradient": "5d5d097963ff256a",
  "two convolutions, masked": "9eaf37b825cc5d38",
  "two input gradients, masked": "20a4d8727731a8a1",
  "two filter gradients": "2fc415f7a53e17d9",
  "sum over pixels": "407219efb2b8c723",
  "mean of all": "8395940862a14627",
  "mean absolute difference": "480f9eb308beb3ff",
  "exponential and logarithm": "20e6f565d8b21b79",
  "y + a x": "09f7b051450062e5",
};

function bits(compute: () => tf.Tensor): string {
  const result = tf.tidy(compute);
  const values = result.dataSync() as Float32Array;
  result.dispose();
  return fingerprint(values);
}

describe("results have the same bits everywhere", () => {
  it.each(Object.entries(cases))("%s", (name, compute) => {
    expect(bits(compute)).toBe(fingerprints[name]);
  });
});

describe("results have the same bits whatever ran before", () => {
  it.each(Object.entries(cases))("%s", (_, compute) => {
    const first = bits(compute);
    const held = [100, 77_777, 3].map((size) => tf.fill([size], Number.NaN));
    held[1]!.dispose();
    expect(bits(compute)).toBe(first);
    tf.dispose(held);
  });
});
