import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { initialParameters } from "./initial.js";
import { chooseScale, chooseWeights, decodeModel, encodeModel, type Model } from "./model.js";
import { readModel, writeModel } from "./model-file.js";
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from "./safetensors.js";

const architecture = { depth: 3, width: 4 };
const model: Model = {
  architecture,
  scale: 3,
  parameters: initialParameters(architecture, { normal: () => 0.5 }),
  innerRates: [new Float32Array(6).fill(-3), new Float32Array(6).fill(-4)],
  metadata: { run: "a run" },
};

const folder = sharedFolder();

/** The model's bytes after `change` had its way with the tensors and the metadata. */
function changed(change: (tensors: Map<string, NamedTensor>, metadata: Record<string, string>) => void): Uint8Array {
  const file = decodeSafetensors(encodeModel(model), "");
  const [tensors, metadata] = [new Map(file.tensors), { ...file.metadata }];
  change(tensors, metadata);
  return encodeSafetensors([...tensors.values()], metadata);
}

describe("a model file", () => {
  it("comes back as it went", async () => {
    const path = join(folder, "model.safetensors");
    await writeModel(path, model);
    expect(await readModel(path)).toEqual(model);
    const fixed = { ...model, innerRates: undefined };
    await writeModel(path, fixed);
    expect(await readModel(path)).toEqual(fixed);
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  it("says all factors that the model was trained for, and the model takes any of them", async () => {
    const path = join(folder, "several.safetensors");
    const several = { ...model, scales: [2, 3, 4] };
    await writeModel(path, several);
    const read = await readModel(path);
    expect(read).toEqual(several);
    expect(chooseScale(read, 4)).toEqual({ ...several, scale: 4 });
    expect(() => chooseScale({ ...read, scales: [2, 3] }, 4, "it")).toThrow(/it: the model enlarges 2 or 3 times/);
    expect(() => chooseScale(model, 2, "it")).toThrow(/enlarges 3 times.*--scale 3/);
    for (const scales of ["2,4", "3,2", "3,5", "3,3,4", ""]) {
      const bytes = changed((_, metadata) => void Object.assign(metadata, { scales }));
      expect(() => decodeModel(bytes, "bad"), scales).toThrow(InputError);
    }
  });

  it("holds the moving average beside the last parameters, and gives either", async () => {
    const path = join(folder, "averaged.safetensors");
    const ema = {
      parameters: initialParameters(architecture, { normal: () => 0.25 }),
      innerRates: [new Float32Array(6).fill(-5), new Float32Array(6).fill(-6)],
    };
    await writeModel(path, { ...model, ema });
    const read = await readModel(path);
    expect(read).toEqual({ ...model, ema });
    expect(chooseWeights(read)).toEqual({ ...model, ...ema, metadata: { ...model.metadata, weights: "ema" } });
    expect(chooseWeights(read, "ema")).toEqual(chooseWeights(read));
    expect(chooseWeights(read, "last")).toEqual(model);
    expect(chooseWeights(model)).toEqual(model);
    expect(() => chooseWeights(model, "ema", path)).toThrow(`${path}: there is no moving average in this model`);
  });

  it("stays as it was when a new one cannot be written", async () => {
    const path = join(folder, "not-there", "model.safetensors");
    await expect(writeModel(path, model)).rejects.toThrow("ENOENT");
  });

  it("is refused when missing, a folder, or cut short", async () => {
    await expect(readModel(join(folder, "none"))).rejects.toThrow(InputError);
    await expect(readModel(folder)).rejects.toThrow("is a folder");
    const path = join(folder, "short.safetensors");
    await writeFile(path, encodeModel(model).subarray(0, -10));
    await expect(readModel(path)).rejects.toThrow(InputError);
    await expect(readModel(path)).rejects.toThrow(`${path}: `);
    expect((await readFile(path)).length).toBeGreaterThan(0);
  });

  const kernel = (shape: number[], value = 0): NamedTensor => ({
    name: "conv2/kernel",
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b)).fill(value),
  });
  it.each<[string, Parameters<typeof changed>[0], string]>([
    [
      "of another shape",
      (t) => t.set("conv2/kernel", kernel([3, 3, 4, 5])),
      "conv2/kernel has shape [3,3,4,5]; expected [3,3,4,4]",
    ],
    ["with NaN", (t) => t.set("conv2/kernel", kernel([3, 3, 4, 4], Number.NaN)), "conv2/kernel holds NaN at element 0"],
    ["with a tensor missing", (t) => t.delete("conv2/bias"), "tensor conv2/bias is missing"],
    ["with a gap in its layers", (t) => t.delete("conv2/kernel"), "no network in it (1 convolution kernels)"],
    [
      "with a tensor too many",
      (t) => t.set("x", { name: "x", shape: [1], data: Float32Array.of(1) }),
      "9 tensors; expected 8",
    ],
    [
      "in float64",
      (t) => t.set("conv1/bias", { name: "conv1/bias", shape: [4], data: new Float64Array(4) }),
      "is not float32",
    ],
    [
      "with rates for another network",
      (t) => t.set("inner_rate/0", { name: "inner_rate/0", shape: [5], data: new Float32Array(5) }),
      "inner_rate/0 has shape [5]; expected [6]",
    ],
    [
      "with half of a moving average",
      (t) => t.set("ema/conv1/kernel", { ...t.get("conv1/kernel")!, name: "ema/conv1/kernel" }),
      "tensor ema/conv1/bias is missing",
    ],
    ["without a scale", (_, m) => delete m.scale, "scale is not given; expected 2, 3 or 4"],
    ["with a scale out of range", (_, m) => (m.scale = "9"), "scale is 9"],
    ["of another program", (_, m) => delete m.format, "not a model of this program"],
  ])("is refused %s", (_, change, message) => {
    expect(() => decodeModel(changed(change), "m.safetensors")).toThrow(InputError);
    expect(() => decodeModel(changed(change), "m.safetensors")).toThrow(message);
  });
});

it("a first kernel without elements that claims any width is refused before memory is asked for", () => {
  const tensors: NamedTensor[] = [
    { name: "conv1/kernel", shape: [0, 3, 3, 1e9], data: new Float32Array() },
    { name: "conv1/bias", shape: [1], data: new Float32Array(1) },
    { name: "conv2/kernel", shape: [1], data: new Float32Array(1) },
  ];
  const bytes = encodeSafetensors(tensors, { format: "mzsr-model-1", scale: "2" });
  expect(() => decodeModel(bytes, "m.safetensors")).toThrow(InputError);
  expect(() => decodeModel(bytes, "m.safetensors")).toThrow(
    "m.safetensors: tensor conv1/kernel has shape [0,3,3,1000000000]; expected [3,3,3,1000000000]",
  );
});
