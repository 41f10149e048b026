import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { SimdBackend } from "./backend.js";
import { dualConv2D, SimdMemoryError, simdMemory } from "./index.js";
import { numbers } from "./testing/numbers.js";

beforeAll(async () => {
  await tf.setBackend("simd");
});

describe("the backend's memory", () => {
  it("holds a tensor's numbers from upload to download and frees them on dispose", () => {
    const before = simdMemory();
    const values = numbers(10_000, 1);
    const tensor = tf.tensor(values, [100, 100]);
    expect(simdMemory().usedBytes - before.usedBytes).toBeGreaterThanOrEqual(values.byteLength);
    expect(tensor.dataSync()).toEqual(values);
    tensor.dispose();
    expect(simdMemory().usedBytes).toBe(before.usedBytes);
    expect(simdMemory().allocations).toBe(before.allocations);
  });

  it("hands out copies, which later work does not change", async () => {
    const tensor = tf.tensor1d([1, 2, 3]);
    const read = await tensor.data();
    tensor.dispose();
    tf.fill([3], 7).dispose();
    expect([...read]).toEqual([1, 2, 3]);
  });

  it("keeps shared data until the last tensor goes", () => {
    const before = simdMemory().allocations;
    const tensor = tf.tensor1d([1, 2, 3, 4]);
    const views = [tf.reshape(tensor, [2, 2]), tf.clone(tensor)];
    expect(simdMemory().allocations).toBe(before + 1);
    tensor.dispose();
    views[0]!.dispose();
    expect([...views[1]!.dataSync()]).toEqual([1, 2, 3, 4]);
    views[1]!.dispose();
    expect(simdMemory().allocations).toBe(before);
  });

  it("is shown by the library's own count", () => {
    expect(tf.memory()).toMatchObject({ unreliable: false, usedBytes: simdMemory().usedBytes });
  });

  it("takes tensors over from another backend and gives them back", async () => {
    await import("@tensorflow/tfjs-backend-cpu");
    const tensor = tf.tensor1d([1, -2, 3]);
    await tf.setBackend("cpu");
    const onCpu = tf.abs(tensor);
    await tf.setBackend("simd");
    const onSimd = tf.neg(onCpu);
    expect([...onSimd.dataSync()]).toEqual([-1, -2, -3]);
    tf.dispose([tensor, onCpu, onSimd]);
    expect(simdMemory().allocations).toBe(0);
  });

  it("keeps strings, and refuses complex numbers", () => {
    const strings = tf.tensor1d(["a", "ß"]);
    expect(strings.dataSync()).toEqual(["a", "ß"]);
    strings.dispose();
    const backend = tf.findBackend("simd") as SimdBackend;
    expect(() => backend.makeOutput([2], "complex64")).toThrow("complex64 tensors are not supported");
  });

  it("leaves nothing behind when a kernel fails in the middle", () => {
    const before = simdMemory();
    expect(() =>
      tf.tidy(() => {
        const x = tf.zeros([1, 8, 8, 4]) as tf.Tensor4D;
        const filter = tf.zeros([3, 3, 4, 4]) as tf.Tensor4D;
        dualConv2D({ x, filter, x2: x, filter2: tf.zeros([3, 3, 4, 5]) as tf.Tensor4D });
      }),
    ).toThrow("filter2 is [3,3,4,5], expected [3,3,4,4]");
    expect(simdMemory().allocations).toBe(before.allocations);
  });
});

describe("at the end of its memory", () => {
  it("fails with a clear error, keeps what it has and works on once something is freed", async () => {
    tf.registerBackend("small", () => new SimdBackend(4 * 2 ** 20));
    for (const kernel of tf.getKernelsForBackend("simd")) tf.registerKernel({ ...kernel, backendName: "small" });
    await tf.setBackend("small");
    const x = tf.fill([1, 64, 64, 32], 0.5) as tf.Tensor4D;
    const filter = tf.fill([3, 3, 32, 32], 0.25) as tf.Tensor4D;
    const ballast = tf.zeros([700_000]);
    const used = (tf.memory() as unknown as { usedBytes: number }).usedBytes;
    const convolve = () => tf.conv2d(x, filter, 1, "same");
    expect(convolve).toThrow(SimdMemoryError);
    expect(convolve).toThrow(/asked for .* in use of at most 4.0 MiB/);
    expect((tf.memory() as unknown as { usedBytes: number }).usedBytes).toBe(used);
    ballast.dispose();
    const y = convolve();
    expect(y.dataSync()[64 * 32 + 32]).toBeCloseTo(0.5 * 0.25 * 32 * 9, 3);
    tf.dispose([x, filter, y]);
    await tf.setBackend("simd");
    tf.removeBackend("small");
  });

  it("computes beyond 2 GiB", async () => {
    const big = tf.fill([1, 1], 1);
    const backend = tf.findBackend("simd") as SimdBackend;
    // Not touched, so the machine need not have the memory.
    const reserved = backend.makeOutput([580_000_000], "float32");
    const x = tf.tensor1d([1, 2, 3]);
    expect(backend.address(x)).toBeGreaterThan(2 ** 31);
    const y = tf.add(tf.concat([x, x]), 1);
    expect([...y.dataSync()]).toEqual([2, 3, 4, 2, 3, 4]);
    const image = tf.tensor4d(numbers(48, 3), [1, 4, 4, 3]);
    const filter = tf.tensor4d(numbers(27, 4), [3, 3, 3, 1]);
    const high = tf.conv2d(image, filter, 1, "same");
    backend.disposeData(reserved.dataId);
    const low = tf.tidy(() => tf.conv2d(tf.clone(image), filter, 1, "same"));
    expect(high.dataSync()).toEqual(low.dataSync());
    tf.dispose([big, x, y, image, filter, high, low]);
  });
});

describe("threads", () => {
  it("have a backend each, which computes the same bits", async () => {
    const results = await Promise.all([convolveInThread(), convolveInThread()]);
    expect(results[0]).toEqual(results[1]);
    expect(results[0].length).toBe(400);
  });
});

/** Convolves in a thread of its own, with the package as it is built. */
function convolveInThread(): Promise<Float32Array> {
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    (async () => {
      const tf = await import(workerData.tf);
      await import(workerData.simd);
      await tf.setBackend("simd");
      const x = tf.tensor4d(Float32Array.from({ length: 600 }, (_, i) => Math.fround(i / 7)), [1, 10, 10, 6]);
      const filter = tf.tensor4d(Float32Array.from({ length: 216 }, (_, i) => Math.fround(i / 3)), [3, 3, 6, 4]);
      parentPort.postMessage(tf.conv2d(x, filter, 1, "same").dataSync());
    })();
  `;
  const workerData = {
    tf: pathToFileURL(createRequire(import.meta.url).resolve("@tensorflow/tfjs-core")).href,
    simd: new URL("../dist/index.js", import.meta.url).href,
  };
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { eval: true, workerData });
    worker.once("error", reject);
    worker.once("message", (message: Float32Array) => {
      resolve(message);
      void worker.terminate();
    });
  });
}
