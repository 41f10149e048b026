import { type Model, parameterLayout } from "@mzsr/mzsr";
import { describe, expect, it } from "vitest";
import { channelsFirstTensors } from "./channels-first.js";
import { onnxModel } from "./onnx.js";
import { decodeOnnx, type OnnxModel } from "./onnx-schema.js";

function model(depth: number, width: number): Model {
  const architecture = { depth, width };
  const parameters = Float32Array.from({ length: parameterLayout(architecture).size }, (_, i) => Math.sin(i) / 7);
  return { architecture, scale: 2, parameters, innerRates: undefined, metadata: { run: "test" } };
}

/** Runs a graph of Conv, Relu and Add as the ONNX standard defines them, on one NCHW image, in doubles. */
function evaluate({ graph }: OnnxModel, image: number[], height: number, width: number): number[] {
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const values = new Map([[graph.input[0]!.name, image]]);
  const floats = (name: string) => new Float32Array(new Uint8Array(weights.get(name)!.rawData).buffer);
  for (const { opType, input, output } of graph.node) {
    const operand = values.get(input[0]!)!;
    if (opType === "Relu")
      values.set(
        output[0]!,
        operand.map((v) => Math.max(0, v)),
      );
    else if (opType === "Add")
      values.set(
        output[0]!,
        operand.map((v, i) => v + values.get(input[1]!)![i]!),
      );
    else
      values.set(
        output[0]!,
        convolve(operand, floats(input[1]!), weights.get(input[1]!)!.dims, floats(input[2]!), height, width),
      );
  }
  return values.get(graph.output[0]!.name)!;
}

function convolve(
  x: number[],
  kernel: Float32Array,
  dims: readonly number[],
  bias: Float32Array,
  h: number,
  w: number,
): number[] {
  const [outputs, inputs] = dims as [number, number];
  const result: number[] = [];
  for (let o = 0; o < outputs; o++) {
    for (let y = 0; y < h; y++) {
      for (let c = 0; c < w; c++) {
        let sum = bias[o]!;
        for (let i = 0; i < inputs; i++) {
          for (let ky = 0; ky < 3; ky++) {
            for (let kx = 0; kx < 3; kx++) {
              const [sy, sx] = [y + ky - 1, c + kx - 1];
              if (sy < 0 || sx < 0 || sy >= h || sx >= w) continue;
              sum += x[(i * h + sy) * w + sx]! * kernel[((o * inputs + i) * 3 + ky) * 3 + kx]!;
            }
          }
        }
        result.push(sum);
      }
    }
  }
  return result;
}

/** The network by its definition, on NHWC data with HWIO kernels. */
function network({ architecture, parameters }: Model, image: number[], h: number, w: number): number[] {
  const { entries } = parameterLayout(architecture);
  let activation = image;
  let channels = 3;
  for (let layer = 0; layer < architecture.depth; layer++) {
    const [kernel, bias] = [entries[2 * layer]!, entries[2 * layer + 1]!];
    const outputs = bias.size;
    const next = new Array<number>(h * w * outputs);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let o = 0; o < outputs; o++) {
          let sum = parameters[bias.offset + o]!;
          for (let ky = 0; ky < 3; ky++) {
            for (let kx = 0; kx < 3; kx++) {
              const [sy, sx] = [y + ky - 1, x + kx - 1];
              if (sy < 0 || sx < 0 || sy >= h || sx >= w) continue;
              for (let i = 0; i < channels; i++) {
                const weight = parameters[kernel.offset + ((ky * 3 + kx) * channels + i) * outputs + o]!;
                sum += activation[(sy * w + sx) * channels + i]! * weight;
              }
            }
          }
          next[(y * w + x) * outputs + o] = layer < architecture.depth - 1 ? Math.max(0, sum) : sum;
        }
      }
    }
    activation = next;
    channels = outputs;
  }
  return activation.map((value, i) => value + image[i]!);
}

describe("onnxModel", () => {
  it("is a chain of convolutions with a residual, for images of any size", () => {
    const read = decodeOnnx(onnxModel(model(3, 4)));
    expect(read.graph.node.map((node) => node.opType)).toEqual(["Conv", "Relu", "Conv", "Relu", "Conv", "Add"]);
    expect(read.graph.node.at(-1)!.input).toEqual(["ilr", "conv3.out"]);
    expect(read.graph.initializer.map(({ name, dims }) => [name, dims])).toEqual([
      ["conv1.weight", [4, 3, 3, 3]],
      ["conv1.bias", [4]],
      ["conv2.weight", [4, 4, 3, 3]],
      ["conv2.bias", [4]],
      ["conv3.weight", [3, 4, 3, 3]],
      ["conv3.bias", [3]],
    ]);
    const { dim } = read.graph.input[0]!.type.tensorType.shape;
    expect(dim).toEqual([{ dimParam: "n" }, { dimValue: 3 }, { dimParam: "h" }, { dimParam: "w" }]);
    expect(read.opsetImport).toEqual([{ domain: "", version: 13 }]);
    expect(read.metadataProps).toContainEqual({ key: "scale", value: "2" });
  });

  it("computes what the network computes", () => {
    const [h, w] = [5, 7];
    const original = model(3, 4);
    const pixels = Array.from({ length: h * w * 3 }, (_, i) => Math.abs(Math.cos(i)));
    const planes = Array.from({ length: 3 }, (_, c) =>
      Array.from({ length: h * w }, (_, p) => pixels[p * 3 + c]!),
    ).flat();
    const expected = network(original, pixels, h, w);
    const actual = evaluate(decodeOnnx(onnxModel(original)), planes, h, w);
    for (let p = 0; p < h * w; p++) {
      for (let c = 0; c < 3; c++) expect(actual[c * h * w + p]).toBeCloseTo(expected[p * 3 + c]!, 10);
    }
  });
});

it("turns kernels from HWIO to OIHW", () => {
  const original = model(2, 5);
  const [weight] = channelsFirstTensors(original);
  expect(weight!.shape).toEqual([5, 3, 3, 3]);
  // Element (o 4, i 1, y 2, x 0) of the one is (y 2, x 0, i 1, o 4) of the other.
  expect(weight!.data[((4 * 3 + 1) * 3 + 2) * 3 + 0]).toBe(original.parameters[((2 * 3 + 0) * 3 + 1) * 5 + 4]);
});
