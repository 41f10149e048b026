import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { encodeModel, initialParameters } from "@mzsr/mzsr";
import { configurationYaml } from "@mzsr/shared";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { prepareRun } from "./prepare-run.js";

/** A run folder as a coordinator leaves it that could not do a step, and whatever else. */
async function runFolder(more: Record<string, string> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), "run");
  const files = { "config.yaml": "seed: 1\n", "metrics.jsonl": "", "events.jsonl": "{}\n", ...more };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const prepare = (run: string) => prepareRun({ run }, new Date(0));

test("a run that has not done a step may be begun again, and nothing of it is deleted", async () => {
  const folder = await runFolder({ "logs/worker-1.log": "mzsr: backend cuda does not start\n" });
  expect(await prepare(folder)).toMatchObject({ folder, resume: false, found: "run", replace: false });
  expect(await readFile(join(folder, "logs", "worker-1.log"), "utf8")).toContain("cuda");
});

test("a run that has done anything is not begun again", async () => {
  for (const name of ["metrics.jsonl", "checkpoints/step-00000001.safetensors.broken", "model.safetensors"]) {
    const folder = await runFolder({ [name]: "something" });
    await expect(prepare(folder), name).rejects.toThrow(/holds a run already; expected --resume/);
    expect(await readFile(join(folder, name), "utf8")).toBe("something");
  }
});

test("a run that a coordinator works on is not begun again, though it has not done a step", async () => {
  const announcement = { grpc: "127.0.0.1:1", http: "http://127.0.0.1:2", pid: process.pid };
  const folder = await runFolder({ "coordinator.json": JSON.stringify(announcement) });
  await expect(prepare(folder)).rejects.toThrow(/a coordinator works on this run/);
});

test("the hash of a start model stands in the configuration, and the file is looked at again only when it is named again", async () => {
  const folder = await temporaryFolder();
  const architecture = { depth: 5, width: 32 };
  const write = async (value: number) => {
    const parameters = initialParameters(architecture, { normal: () => value });
    const bytes = encodeModel({ architecture, scale: 2, parameters, innerRates: undefined, metadata: {} });
    await writeFile(join(folder, "model.safetensors"), bytes);
    return createHash("sha256").update(bytes).digest("hex");
  };
  const initSha256 = await write(0.25);
  // The folder of a run is named by itself, and its file entered.
  await writeFile(join(folder, "config.yaml"), "{}\n");
  const { configuration } = await prepareRun({ preset: "quick", init: folder, run: join(folder, "new") }, new Date(0));
  expect(configuration).toMatchObject({ init: join(folder, "model.safetensors"), initSha256 });

  const run = await runFolder({ "config.yaml": configurationYaml(configuration) });
  const changed = await write(0.5);
  expect((await prepareRun({ run, resume: true }, new Date(0))).configuration).toEqual(configuration);
  const named = await prepareRun({ run, resume: true, init: folder }, new Date(0));
  expect(named.configuration.initSha256).toBe(changed);
  const again = prepareRun({ config: join(run, "config.yaml"), run: join(folder, "again") }, new Date(0));
  await expect(again).rejects.toThrow("is not the file that the configuration starts from");
  await rm(join(folder, "model.safetensors"));
  expect((await prepareRun({ run, resume: true }, new Date(0))).configuration).toEqual(configuration);
});

test("the preset finetune starts from the model that comes with the program, with the rates that it has learned", async () => {
  const run = join(await temporaryFolder(), "new");
  const { configuration } = await prepareRun({ preset: "finetune", run }, new Date(0));
  expect(configuration.init).toMatch(/model-x2.model\.safetensors$/);
  expect(configuration.initSha256).toMatch(/^[0-9a-f]{64}$/);
  expect(configuration).toMatchObject({ pretraining: { steps: 0 }, metaTraining: { learnedRates: true } });
});
