/** `mzsr up` whose terminal is closed, or whose output nobody reads: real processes, small networks. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { until } from "@mzsr/testing/poll";
import { descendantsOf } from "@mzsr/testing/process-tree";
import { BIN } from "@mzsr/testing/run-command";
import { hashesOf, makePhotos, smallRun } from "@mzsr/testing/small-cluster-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";

const LONG = 120_000;
const STEPS = 110;

interface Training {
  readonly run: string;
  /** Program and arguments of `mzsr up`. */
  readonly command: readonly string[];
}

async function training(): Promise<Training> {
  const folder = await temporaryFolder();
  const photos = join(folder, "photos");
  await makePhotos(photos);
  const run = join(folder, "run");
  return { run, command: [process.execPath, BIN, "up", "--run", run, ...smallRun(photos, 10, STEPS - 10)] };
}

const steps = async ({ run }: Training) => (await hashesOf(run)).length;
const begun = (of: Training) => until("a step is done", async () => (await steps(of)) > 0);

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

async function expectFinished(of: Training, child: ChildProcess): Promise<void> {
  expect(await exitCode(child)).toBe(0);
  expect(await steps(of)).toBe(STEPS);
  const files = await readdir(of.run);
  expect(files).toContain("model.safetensors");
  expect(files).not.toContain("lock");
}

test("training goes on to its end when whoever read its output is gone", { timeout: LONG }, async () => {
  const started = await training();
  const [program, ...args] = started.command;
  const child = spawn(program!, args, { stdio: ["ignore", "pipe", "pipe"] });
  await once(child.stderr, "data");
  child.stdout.destroy();
  child.stderr.destroy();
  await expectFinished(started, child);
});

test.runIf(process.platform === "linux")(
  "training goes on to its end when its output finds no room",
  {
    timeout: LONG,
  },
  async () => {
    const started = await training();
    const [program, ...args] = started.command;
    const full = await open("/dev/full", "w");
    const child = spawn(program!, args, { stdio: ["ignore", full.fd, full.fd] });
    await full.close();
    await expectFinished(started, child);
  },
);

test("SIGHUP to the terminal's processes stops training with a checkpoint", { timeout: LONG }, async () => {
  const started = await training();
  const [program, ...args] = started.command;
  const child = spawn(program!, [...args, "--steps", "100000"], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  await begun(started);
  child.stdout.destroy();
  child.stderr.destroy();
  process.kill(-child.pid!, "SIGHUP");
  expect(await exitCode(child)).toBe(0);
  const checkpoint = `step-${String(await steps(started)).padStart(8, "0")}.safetensors`;
  expect(await readdir(join(started.run, "checkpoints"))).toContain(checkpoint);
  expect(await readdir(started.run)).not.toContain("lock");
});

test("under nohup a SIGHUP changes nothing", { timeout: LONG }, async () => {
  const started = await training();
  const child = spawn("bash", ["-c", 'nohup "$@"; exit $?', "bash", ...started.command], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  child.stdout.resume();
  child.stderr.resume();
  await begun(started);
  // The shell between is not under nohup: only what it started is told.
  const [up] = (await descendantsOf(child.pid!)).filter(({ command }) => command.includes(" up --run"));
  process.kill(up!.pid, "SIGHUP");
  await expectFinished(started, child);
});
