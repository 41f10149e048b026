/**
 * Models between this program and others, by the others' own readers and writers. TensorFlow.js' is installed with the packages;
 * ONNX Runtime, safetensors and NumPy are Python's (`pip install onnxruntime safetensors numpy`; MZSR_PYTHON names another python3).
 */
import { execFile, spawnSync } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { main, Terminal } from "@mzsr/cli";
import {
  createImage,
  Draws,
  enlargeWith,
  type Image,
  imresize,
  initialParameters,
  parameterLayout,
  readModel,
  writeModel,
} from "@mzsr/mzsr";
import { largestDifference } from "@mzsr/testing/golden-image";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";

const folder = sharedFolder();
const at = (name: string) => join(folder, name);
const draws = new Draws(5, [0, 0, 0]);
// Deep enough that conv10 must not come before conv2.
const architecture = { depth: 11, width: 6 };
const parameters = initialParameters(architecture, draws);
const { entries } = parameterLayout(architecture);
for (const { name, offset, size } of entries) {
  if (name.endsWith("/bias")) for (let i = 0; i < size; i++) parameters[offset + i] = draws.uniform(-0.1, 0.1);
}
const model = { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };

/** LR images; a model of another program gets them enlarged by interpolation. Sizes differ: none is built into a file. */
const photos = [
  [9, 13],
  [16, 8],
].map(([height, width]) => {
  const data = Float32Array.from({ length: height! * width! * 3 }, () => draws.uniform(0, 1));
  return createImage(height!, width!, 3, data);
});
let expected: Image[];

async function mzsr(...args: string[]): Promise<string> {
  let [out, notes] = ["", ""];
  const code = await main(args, new Terminal({ write: (text) => (out += text) }, { write: (text) => (notes += text) }));
  expect([code, notes]).toEqual([0, ""]);
  return out;
}

beforeAll(async () => {
  await tf.setBackend("cpu");
  await writeModel(at("ours.safetensors"), model);
  expected = await Promise.all(photos.map((photo) => enlargeWith(model, photo)));
  for (const name of ["model.onnx", "model.safetensors", "model.json"]) {
    await mzsr("export", "--model", at("ours.safetensors"), "-o", at(name));
  }
});

const pixelsOf = (image: Image) => {
  const rows = Array.from({ length: image.height }, (_, y) =>
    Array.from({ length: image.width }, (_, x) => [
      ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x + 1) * 3),
    ]),
  );
  return [rows];
};

it("TensorFlow.js loads the layers model and computes the same for images of any size", {
  timeout: 60_000,
}, async () => {
  const { loadLayersModel } = await import("@tensorflow/tfjs-layers");
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(at("model.json"), "utf8"));
  const [{ paths, weights: weightSpecs }] = weightsManifest;
  const weightData = new Uint8Array(await readFile(at(paths[0]))).buffer;
  const loaded = await loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
  for (const [i, photo] of photos.entries()) {
    const input = imresize(photo, 2);
    const result = tf.tidy(() => loaded.predict(tf.tensor(input.data, [1, input.height, input.width, 3])) as tf.Tensor);
    expect(result.shape).toEqual([1, input.height, input.width, 3]);
    expect(largestDifference((await result.data()) as Float32Array, expected[i]!.data)).toBeLessThan(1e-5);
  }
  // A topology never replaces another model's, and neither do its weights.
  const again = main(["export", "--model", at("ours.safetensors"), "-o", at("model.json")], silent());
  expect(await again).toBe(2);
  expect((await stat(at("model.weights.bin"))).size).toBe(4 * parameters.length);
});

function silent(): Terminal {
  return new Terminal({ write: () => undefined }, { write: () => undefined });
}

const python = process.env.MZSR_PYTHON ?? "python3";
const absent = spawnSync(python, ["-c", "import onnxruntime, safetensors, numpy"]).status !== 0;
const NOTE = absent ? `(skipped: ${python} has no onnxruntime, safetensors and numpy)` : "";

describe.skipIf(absent)(`Python's programs ${NOTE}`, () => {
  let said: { results: number[][][][][]; shapes: Record<string, number[]> };

  beforeAll(async () => {
    await writeFile(at("images.json"), JSON.stringify(photos.map((photo) => pixelsOf(imresize(photo, 2)))));
    const script = fileURLToPath(new URL("peers.py", import.meta.url));
    const { stdout } = await promisify(execFile)(python, [script, folder], { maxBuffer: 2 ** 26 });
    said = JSON.parse(stdout);
  }, 120_000);

  it("ONNX Runtime computes the same for images of any size", () => {
    for (const [i, result] of said.results.entries()) {
      expect(largestDifference(Float32Array.from(result.flat(3)), expected[i]!.data)).toBeLessThan(1e-5);
    }
  });

  it("safetensors reads an export with PyTorch's names and layout", () => {
    expect(Object.keys(said.shapes).length).toBe(22);
    expect(said.shapes).toMatchObject({
      "conv1.weight": [6, 3, 3, 3],
      "conv11.weight": [3, 6, 3, 3],
      "conv11.bias": [3],
    });
  });

  it.each(["stored.npz", "packed.npz", "sequential.safetensors"])("%s, as they write it, is imported", async (name) => {
    const out = await mzsr("import", at(name), "--scale", "3", "-o", at(`${name}-imported.safetensors`));
    expect(out).toContain("depth 11, width 6");
    const imported = await readModel(at(`${name}-imported.safetensors`));
    expect(imported).toMatchObject({ architecture, scale: 3, innerRates: undefined });
    expect(largestDifference(imported.parameters, parameters)).toBe(0);
  });
});
