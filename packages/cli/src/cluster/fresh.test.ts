/** `--fresh` with real processes: what it deletes, and what stands when it fails. */
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { MzsrProcess } from "@mzsr/testing/mzsr-process";
import { mzsr } from "@mzsr/testing/run-command";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { tinyRun } from "@mzsr/testing/tiny-run";
import { expect, onTestFinished, test } from "vitest";

const LONG = 120_000;

interface Old {
  /** Arguments of a run that fits the machine. */
  readonly args: string[];
  readonly run: string;
}

/** A run that was stopped before its first step, with what a whole run leaves put into it. */
async function oldRun(): Promise<Old> {
  const args = await tinyRun(await temporaryFolder());
  const run = args.at(-1)!;
  await stopped(await started(args));
  const files = {
    "model.safetensors": "a model",
    "metrics.jsonl": '{"step":1}\n',
    "checkpoints/step-00000001.safetensors": "a checkpoint",
    "checkpoints/step-00000002.safetensors.broken": "half of one",
    "previews/previews.json": "[]",
    "previews/barn-step-7-0a1b2c3d.png": "a picture",
    "tensorboard/events.out.tfevents.1234567890.123.mzsr": "events",
    "report/report.html": "a report",
    "report/barn-after-10-detail.png": "a picture",
    "logs/worker-1.log": "a log",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(run, name, ".."), { recursive: true });
    await writeFile(join(run, name), text);
  }
  return { args, run };
}

/** A coordinator without workers that is ready. */
async function started(args: readonly string[]): Promise<MzsrProcess> {
  const coordinator = new MzsrProcess(["coordinator", ...args, "--port", "0", "--http-port", "0"]);
  onTestFinished(() => coordinator.kill());
  await coordinator.logged(({ msg }) => String(msg).startsWith("ready"));
  return coordinator;
}

async function stopped(coordinator: MzsrProcess): Promise<void> {
  coordinator.signal("SIGTERM");
  expect(await coordinator.exit()).toBe(0);
}

/** Everything in a folder with its content. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")] as const)),
  );
}

async function portInUse(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return String((server.address() as { port: number }).port);
}

test("a fresh start deletes the run that is there, and the new one is marked as a run", { timeout: LONG }, async () => {
  const { args, run } = await oldRun();
  const coordinator = await started([...args, "--fresh"]);
  expect((await readdir(run)).sort()).toEqual(
    [".mzsr-run", "config.yaml", "coordinator.json", "events.jsonl", "lock", "metrics.jsonl"].sort(),
  );
  expect(await readFile(join(run, "metrics.jsonl"), "utf8")).toBe("");
  await coordinator.kill();
  // What a killed coordinator leaves is a run, too.
  await stopped(await started([...args, "--fresh"]));
});

test("a fresh start that fails leaves the run that is there as it was", { timeout: LONG }, async () => {
  const { args, run } = await oldRun();
  const before = await contentOf(run);
  const port = await portInUse();
  const failing: [RegExp, ...string[]][] = [
    [/nonexistent/, "up", "--data", "/nonexistent"],
    [/in use/, "coordinator", "--http-port", "0", "--port", port],
    [/backend cuda does not start/, "up", "--backend", "cuda"],
  ];
  for (const [reason, command, ...wrong] of failing) {
    const { code, notes } = await mzsr([command!, ...args, "--fresh", ...wrong]);
    expect([code, notes], wrong.join(" ")).toEqual([2, expect.stringMatching(reason)]);
    expect(await contentOf(run), wrong.join(" ")).toEqual(before);
  }
});

test("a resumed run that cannot start keeps its model", { timeout: LONG }, async () => {
  const { args, run } = await oldRun();
  await rm(join(run, "checkpoints"), { recursive: true });
  const port = await portInUse();
  const { code } = await mzsr(["coordinator", ...args, "--resume", "--http-port", "0", "--port", port]);
  expect(code).toBe(2);
  expect(await readFile(join(run, "model.safetensors"), "utf8")).toBe("a model");
});

test("a new run that cannot start leaves nothing behind, and a folder that was there empty", {
  timeout: LONG,
}, async () => {
  const args = await tinyRun(await temporaryFolder());
  const run = args.at(-1)!;
  const wrong = ["coordinator", ...args, "--fresh", "--http-port", "0", "--port", await portInUse()];
  expect((await mzsr(wrong)).code).toBe(2);
  await expect(readdir(run)).rejects.toThrow("ENOENT");
  await mkdir(run, { recursive: true });
  expect((await mzsr(wrong)).code).toBe(2);
  expect(await readdir(run)).toEqual([]);
});
