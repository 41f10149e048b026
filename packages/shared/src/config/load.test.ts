import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeEach, describe, expect, it } from "vitest";
import { configurationKeys } from "./keys.js";
import { loadConfiguration, parseOverride } from "./load.js";
import { PRESET_NAMES } from "./presets.js";
import { configurationSchema } from "./schema.js";
import { configurationDifferences, writeConfiguration } from "./write.js";

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

async function yaml(text: string): Promise<string> {
  const path = join(folder, "run.yaml");
  await writeFile(path, text);
  return path;
}

async function errorOf(text: string): Promise<string> {
  const file = await yaml(text);
  const thrown = await loadConfiguration({ file }).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(InputError);
  return (thrown as Error).message.replaceAll(folder, "");
}

describe("loadConfiguration", () => {
  it("gives the paper's values when nothing is said, and the preset paper is the same", async () => {
    const plain = await loadConfiguration();
    expect(plain).toEqual(configurationSchema.parse({}));
    expect(plain.metaTraining).toMatchObject({
      steps: 100_000,
      tasks: 5,
      innerSteps: 5,
      innerRate: 1e-2,
      order: "second",
    });
    expect(await loadConfiguration({ preset: "paper" })).toEqual(plain);
  });

  it("has for GPUs the tasks, rates and numbers of steps of the preset quick, sixteen tasks a step", async () => {
    const [quick, gpu] = [await loadConfiguration({ preset: "quick" }), await loadConfiguration({ preset: "gpu" })];
    expect(gpu).toEqual({
      ...quick,
      pretraining: { ...quick.pretraining, tasks: 16, batch: 16 * quick.pretraining.batch },
      metaTraining: { ...quick.metaTraining, tasks: 16 },
      cluster: { ...quick.cluster, pipeline: 1 },
    });
  });

  it("lays the file over the preset and flags over the file", async () => {
    const file = await yaml("metaTraining:\n  steps: 7\n  tasks: 9\n");
    const configuration = await loadConfiguration({
      preset: "quick",
      file,
      overrides: [parseOverride("metaTraining.tasks=2")],
    });
    expect(configuration.model).toEqual({ depth: 5, width: 32 });
    expect(configuration.metaTraining).toMatchObject({ steps: 7, tasks: 2, learnedRates: true });
  });

  it("says of a long value how it begins, and reads no file beyond its bound", async () => {
    const long = join(folder, "long.yaml");
    await writeFile(long, `model: {depth: "${"x".repeat(100_000)}"}\n`);
    const error = await loadConfiguration({ file: long }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(
      /model\.depth is "x+… \(100002 characters\); expected a whole number/,
    );
    expect((error as InputError).message.length).toBeLessThan(400);
    await writeFile(long, `${"k".repeat(100_000)}: 1\n`);
    const unknown = await loadConfiguration({ file: long }).catch((thrown: unknown) => thrown);
    expect((unknown as InputError).message.length).toBeLessThan(1000);
    await writeFile(long, `model: {depth: "${"x".repeat(300_000)}"}\n`);
    await expect(loadConfiguration({ file: long })).rejects.toThrow(
      /long\.yaml: cannot be read \(more than 262144 bytes\); expected a YAML configuration file/,
    );
  });

  it("takes an empty file as no wishes", async () => {
    expect(await loadConfiguration({ file: await yaml("# nothing\n") })).toEqual(configurationSchema.parse({}));
  });

  it("names key, value and range of a value out of range", async () => {
    expect(await errorOf("metaTraining:\n  innerSteps: 300\n")).toBe(
      "/run.yaml: metaTraining.innerSteps is 300; expected a whole number from 1 to 20",
    );
    expect(await errorOf("metaTraining: {innerRate: 0}")).toContain(
      "innerRate is 0; expected a number above 0 and at most 10",
    );
    expect(await errorOf("backend: gpu")).toContain('backend is "gpu"; expected one of auto, webgpu, cuda');
    expect(await errorOf("metaTraining: {learnedRates: 1}")).toContain("learnedRates is 1; expected true or false");
  });

  it("names a value of another type, a fraction and a group that is none", async () => {
    expect(await errorOf("seed: soon")).toContain('seed is "soon"; expected a whole number from 0');
    expect(await errorOf("model: {depth: 3.5}")).toContain("model.depth is 3.5; expected a whole number from 2 to 32");
    expect(await errorOf("model: 8")).toContain("model is 8; expected a group with the keys depth, width");
  });

  it("says that a kernel size must be odd", async () => {
    expect(await errorOf("degradation: {kernelSize: 14}")).toContain(
      "degradation.kernelSize is 14; expected a whole number from 3 to 61, and it must be odd",
    );
  });

  it("asks whether another key was meant by an unknown one", async () => {
    expect(await errorOf("metaTraning: {}")).toContain("unknown key metaTraning");
    expect(await errorOf("metaTraning: {}")).toContain("(did you mean metaTraining?)");
    expect(await errorOf("metaTraining: {inner_steps: 3}")).toContain("(did you mean innerSteps?)");
    expect(await errorOf("innerSteps: 3")).toContain("(did you mean metaTraining.innerSteps?)");
  });

  it("stays within two lines however much is wrong", async () => {
    const message = await errorOf("a: 1\nb: 2\nmodel: {depth: 1, width: 1}\nseed: -1\n");
    expect(message.split("\n")).toHaveLength(2);
    expect(message).toContain("and 4 more: ");
  });

  it("refuses keys that contradict each other", async () => {
    expect(await errorOf("degradation: {lambdaMin: 3, lambdaMax: 2}")).toContain(
      "expected lambdaMax not below lambdaMin",
    );
    expect(await errorOf("pretraining: {steps: 0}\nmetaTraining: {steps: 0}")).toContain("at least one step");
  });

  it("says which file is missing and which line is no YAML", async () => {
    await expect(loadConfiguration({ file: join(folder, "none.yaml") })).rejects.toThrow(/none\.yaml: cannot be read/);
    expect(await errorOf("seed: 1\nmodel: {depth: 3\n")).toMatch(/^\/run\.yaml:\d: not YAML/);
    expect(await errorOf("- 1\n- 2\n")).toContain("holds no keys");
  });

  it("blames the flag, not the file, for what the flag said", async () => {
    const file = await yaml("metaTraining: {innerSteps: 3}\n");
    const overrides = [parseOverride("metaTraining.innerSteps=99")];
    await expect(loadConfiguration({ file, overrides })).rejects.toThrow(/^--set metaTraining\.innerSteps=99: /);
    await expect(loadConfiguration({ preset: "quik" })).rejects.toThrow(/unknown preset "quik".*did you mean quick/);
  });
});

describe("presets", () => {
  it("are all whole configurations by themselves", async () => {
    for (const preset of PRESET_NAMES) await expect(loadConfiguration({ preset })).resolves.toBeDefined();
  });

  it("for several scales have one of them as the model's own", async () => {
    const several = await loadConfiguration({ preset: "reference-x234" });
    expect(several.degradation).toMatchObject({ scale: 2, scales: [2, 3, 4] });
    // As wide as each task's scale allows.
    expect(several.degradation.lambdaMax).toBeUndefined();
    const overrides = [parseOverride("degradation.scale=3"), parseOverride("degradation.scales=[2, 4]")];
    await expect(loadConfiguration({ preset: "reference-x234", overrides })).rejects.toThrow(
      /scale is 3 and degradation.scales are 2, 4.*expected scale among scales/,
    );
  });

  it("for larger results draw wider kernels, and are the same otherwise", async () => {
    const reference = await loadConfiguration({ preset: "reference" });
    for (const scale of [3, 4]) {
      const larger = await loadConfiguration({ preset: `reference-x${scale}` });
      expect(larger.degradation).toEqual({ ...reference.degradation, scale, lambdaMax: 2.5 * scale });
      expect({ ...larger, degradation: {} }).toEqual({ ...reference, degradation: {} });
      // An LR image's patches are degraded again: whole pixels.
      expect(larger.metaTraining.patchSize % scale).toBe(0);
    }
  });
});

describe("parseOverride", () => {
  it("reads numbers, booleans and words as YAML does", () => {
    expect(parseOverride("metaTraining.innerRate=2e-2").value).toBe(0.02);
    expect(parseOverride("metaTraining.learnedRates=true").value).toBe(true);
    expect(parseOverride("data=photos/of=summer")).toMatchObject({ path: "data", value: "photos/of=summer" });
  });

  it("refuses what has no key", () => {
    expect(() => parseOverride("innerSteps")).toThrow(/expected KEY=VALUE/);
    expect(() => parseOverride("=3")).toThrow(InputError);
  });
});

describe("the effective configuration", () => {
  it("is written whole and read back to the same", async () => {
    const configuration = await loadConfiguration({ preset: "quick" });
    const file = join(folder, "config.yaml");
    await writeConfiguration(file, configuration);
    expect(await loadConfiguration({ file })).toEqual(configuration);
    expect(await readdir(folder)).toEqual(["config.yaml"]);
  });

  it("differs from another in the keys that were changed", async () => {
    const before = await loadConfiguration({ preset: "quick" });
    const after = await loadConfiguration({
      preset: "quick",
      overrides: [parseOverride("seed=9"), parseOverride("model.width=8")],
    });
    expect(configurationDifferences(before, after)).toEqual([
      { path: "model.width", before: 32, after: 8 },
      { path: "seed", before: 1, after: 9 },
    ]);
    expect(configurationDifferences(before, before)).toEqual([]);
  });
});

it("knows every key with its range and default", () => {
  const keys = configurationKeys();
  expect(keys).toContainEqual({ path: "model.depth", allowed: "a whole number from 2 to 32", defaultValue: 8 });
  expect(keys).toContainEqual({
    path: "degradation.lambdaMax",
    allowed: "a number from 0.01 to 50",
    defaultValue: undefined,
  });
  expect(keys).toContainEqual({ path: "cluster.maxGradientNorm", allowed: "a number above 0", defaultValue: 1e6 });
});
