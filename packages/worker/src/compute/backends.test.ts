import { InputError, RunError } from "@mzsr/mzsr";
import { BACKEND_NAMES } from "@mzsr/shared";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { type BackendStarter, backendStarters, cardNote, requireOldUtil, startBackend } from "./backends.js";

const starting = (name: BackendStarter["name"]): BackendStarter => ({ name, start: async () => `a ${name}` });
const failing = (name: BackendStarter["name"]): BackendStarter => ({
  name,
  start: async () => {
    throw new Error(`no ${name} here`);
  },
});

describe("startBackend", () => {
  it("takes the first that starts for auto, and says why not the others", async () => {
    const started = await startBackend("auto", [failing("cuda"), failing("webgpu"), starting("simd"), starting("cpu")]);
    expect(started).toEqual({
      name: "simd",
      description: "a simd",
      reasons: [
        { backend: "cuda", reason: "no cuda here" },
        { backend: "webgpu", reason: "no webgpu here" },
      ],
    });
  });

  it("starts the one asked for, and tells it so", async () => {
    const asked: boolean[] = [];
    const webgpu: BackendStarter = {
      name: "webgpu",
      start: async (wasAsked) => {
        asked.push(wasAsked);
        return "";
      },
    };
    expect((await startBackend("webgpu", [starting("cuda"), webgpu])).name).toBe("webgpu");
    expect((await startBackend("auto", [webgpu])).name).toBe("webgpu");
    expect(asked).toEqual([true, false]);
  });

  it("refuses one that was asked for and does not start", async () => {
    const refusal = startBackend("cuda", [failing("cuda"), starting("simd")]);
    await expect(refusal).rejects.toThrow(InputError);
    await expect(refusal).rejects.toThrow("backend cuda does not start: no cuda here");
  });

  it("says what is missing and what to install, in one sentence", async () => {
    const start = () => Promise.reject(new InputError("no driver", { expected: "apt-get install driver" }));
    await expect(startBackend("webgpu", [{ name: "webgpu", start }])).rejects.toThrow(
      "backend webgpu does not start: no driver: apt-get install driver; expected auto, or another of webgpu",
    );
  });

  it("fails with every reason when none starts", async () => {
    const failure = startBackend("auto", [failing("cuda"), failing("cpu")]);
    await expect(failure).rejects.toThrow(RunError);
    await expect(failure).rejects.toThrow("cuda: no cuda here; cpu: no cpu here");
  });

  it.each(["simd", "cpu"] as const)("makes %s the active backend of TensorFlow.js", async (name) => {
    const { description } = await startBackend(name);
    expect(description).not.toBe("");
    expect(tf.getBackend()).toBe(name);
  });

  it.each([
    ["cuda", "@tensorflow/tfjs-node-gpu"],
    ["tensorflow", "@tensorflow/tfjs-node"],
    ["webgpu", "webgpu"],
  ] as const)("says what to install where the package of %s is missing", async (name, missing) => {
    const installed = await import(missing).then(
      () => true,
      () => false,
    );
    if (installed) return;
    await expect(startBackend(name)).rejects.toThrow(`${missing} is not installed: npm install ${missing}`);
  });

  it("says of Node 23 and newer that tfjs-node does not run on it", () => {
    expect(() => requireOldUtil("tfjs-node", "23.1.0", {})).toThrow(
      /Node 23\.1\.0 no longer has: take Node 22, or webgpu/,
    );
    expect(() => requireOldUtil("tfjs-node", "22.0.0", { isNullOrUndefined: () => false })).not.toThrow();
  });

  it("says of a card that is newer than tfjs-node-gpu's CUDA what that costs", () => {
    expect(cardNote(9)).toMatch(/compute capability 9\.0.*for minutes.*webgpu/);
    expect([cardNote(8.9), cardNote(7), cardNote(undefined)]).toEqual([undefined, undefined, undefined]);
  });

  it("tries them in the order of their names in the configuration: GPUs first, cpu last", () => {
    expect(backendStarters().map(({ name }) => name)).toEqual([...BACKEND_NAMES]);
    expect(BACKEND_NAMES).toEqual(["webgpu", "cuda", "tensorflow", "simd", "cpu"]);
  });
});
