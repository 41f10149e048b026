import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { smallConfiguration } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { setAside } from "./fresh-start.js";
import { firstState } from "./initial-state.js";
import { RunFolder, type RunFolderOptions } from "./run-folder.js";
import { runFolderState } from "./run-marker.js";

const WRITTEN = {
  "checkpoints/step-00000001.safetensors": "a checkpoint",
  "checkpoints/step-00000002.safetensors.broken": "half of one",
  "checkpoints/step-00000003.safetensors.4711.tmp": "less",
  "coordinator.json": "{}",
  "logs/coordinator.log": "a log",
  "logs/worker-12.log": "a log",
  "metrics.jsonl": '{"step":1}\n',
  "model.safetensors": "a model",
  "previews/barn-step-7-0a1b2c3d.png": "a picture",
  "previews/previews.json": "[]",
  "previews/0123456789abcdef.4711.tmp": "half of one with a long name",
  "report.partial/.barn-hr.png": "a picture",
  "report.partial/barn-after-10-detail.png.59247588459093.tmp": "half",
  "report.partial/0123456789abcdef.4711.tmp": "half of one with a long name",
  "report/barn-after-10-detail.png": "a picture",
  "report/report.html": "a report",
  "tensorboard/events.out.tfevents.1234567890.123.mzsr": "events",
};

async function put(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

function open(path: string, how: Partial<RunFolderOptions>) {
  const configuration = smallConfiguration();
  return RunFolder.open({
    path,
    run: "run",
    configuration,
    dataset: "digest of the images",
    resume: false,
    firstState: () => firstState(configuration),
    onDisk: () => undefined,
    onLockLost: () => undefined,
    ...how,
  });
}

/** A folder with everything that a run may have written. */
async function oldRun(): Promise<string> {
  const path = join(await temporaryFolder(), "run");
  const { folder } = await open(path, {});
  await folder.begin();
  await folder.close();
  await put(path, WRITTEN);
  return path;
}

/** Every file with its content. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")] as const)),
  );
}

test("a new run takes the place of an old one when it begins, and nothing of that is left", async () => {
  const path = await oldRun();
  const before = await contentOf(path);
  const { folder } = await open(path, { replace: true });
  expect(await contentOf(path)).toMatchObject(before);
  expect(await folder.begin()).toBeUndefined();
  await folder.close();
  expect((await readdir(path)).sort()).toEqual([".mzsr-run", "config.yaml", "events.jsonl", "metrics.jsonl"]);
  expect(await readFile(join(path, "metrics.jsonl"), "utf8")).toBe("");
});

test("a new run that does not get as far as beginning leaves the old one as it was", async () => {
  const path = await oldRun();
  const before = await contentOf(path);
  const { folder } = await open(path, { replace: true });
  await folder.close();
  expect(await contentOf(path)).toEqual(before);
});

test("a new run that fails while it begins brings the old one back", async () => {
  const path = await oldRun();
  const before = await contentOf(path);
  const { folder } = await open(path, { replace: true, configuration: { ...smallConfiguration(), seed: -1 } });
  await expect(folder.begin()).rejects.toThrow("seed");
  await folder.close();
  expect(await contentOf(path)).toEqual(before);
});

test("the old run comes back where the process was killed before the new one had begun", async () => {
  const path = await oldRun();
  const before = await contentOf(path);
  await setAside(path);
  await writeFile(join(path, "config.yaml"), "seed: 77\n");
  // It cannot be resumed, for lack of a whole checkpoint to go on from, but it is there.
  const { folder } = await open(path, { replace: true });
  await folder.close();
  expect(await contentOf(path)).toEqual(before);
});

test("the old run is gone where the process was killed after the new one had begun", async () => {
  const path = await oldRun();
  await setAside(path);
  await writeFile(join(path, "metrics.jsonl"), "");
  const { folder } = await open(path, { resume: true });
  await folder.close();
  expect((await readdir(path)).sort()).toEqual([".mzsr-run", "config.yaml", "metrics.jsonl"]);
});

test("anything that no run wrote stops it, and is named", async () => {
  for (const name of ["thesis.txt", "report/notes.md", "previews/holiday.png", "checkpoints/best.safetensors"]) {
    const path = await oldRun();
    await put(path, { [name]: "mine" });
    const before = await contentOf(path);
    await expect(open(path, { replace: true })).rejects.toThrow(
      `only what a run wrote, not ${name}; expected these moved`,
    );
    expect(await contentOf(path)).toEqual(before);
  }
});

test("a link inside stops it, whatever its name, and what it leads to stays", async () => {
  for (const name of ["checkpoints", "logs", "model.safetensors", "report/report.html"]) {
    const path = await oldRun();
    const elsewhere = join(await temporaryFolder(), "elsewhere");
    await rename(join(path, name), elsewhere);
    await symlink(elsewhere, join(path, name));
    await expect(open(path, { replace: true })).rejects.toThrow(`not ${name};`);
    await expect(readdir(dirname(elsewhere))).resolves.toEqual(["elsewhere"]);
  }
});

test("a linked run folder stays a link, and the run that it leads to is replaced", async () => {
  const path = await oldRun();
  await rename(path, `${path}-elsewhere`);
  await symlink(`${path}-elsewhere`, path);
  const { folder } = await open(path, { replace: true });
  await folder.begin();
  await folder.close();
  expect((await readdir(dirname(path))).sort()).toEqual(["run", "run-elsewhere"]);
  expect(await readdir(`${path}-elsewhere`)).not.toContain("model.safetensors");
});

test("a run without a mark is not replaced, and resuming marks it", async () => {
  const path = await oldRun();
  await rm(join(path, "checkpoints"), { recursive: true });
  await rm(join(path, ".mzsr-run"));
  const before = await contentOf(path);
  await expect(open(path, { replace: true })).rejects.toThrow(/has no \.mzsr-run; expected --resume, which marks it/);
  expect(await contentOf(path)).toEqual(before);
  const { folder } = await open(path, { resume: true });
  await folder.close();
  expect(await runFolderState(path)).toBe("marked");
});

test("a folder that is no run's is not trained into, whatever its config.yaml says", async () => {
  const path = join(await temporaryFolder(), "content");
  await put(path, { "config.yaml": "seed: 1\n", "posts/one.md": "text" });
  const before = await contentOf(path);
  for (const how of [{}, { resume: true }, { replace: true }]) {
    await expect(open(path, how)).rejects.toThrow("the folder is not empty and holds no run");
    expect(await contentOf(path)).toEqual(before);
  }
});

test("a mark that is a link, or of another format, is none to act on", async () => {
  const path = await oldRun();
  await writeFile(join(path, ".mzsr-run"), "mzsr-run-2\n");
  await expect(open(path, { replace: true })).rejects.toThrow(/format "mzsr-run-2".*mzsr-run-1; another version/);
  await writeFile(join(dirname(path), "mark"), "mzsr-run-1\n");
  await rm(join(path, ".mzsr-run"));
  await symlink(join(dirname(path), "mark"), join(path, ".mzsr-run"));
  await expect(open(path, { replace: true })).rejects.toThrow("has no .mzsr-run");
});

test("what is left of a mark that was being written does not make a folder somebody else's", async () => {
  const path = join(await temporaryFolder(), "run");
  await put(path, { ".mzsr-run.4711.tmp": "" });
  const { folder } = await open(path, {});
  await folder.begin();
  await folder.close();
  await (await open(path, { replace: true })).folder.close();
});
