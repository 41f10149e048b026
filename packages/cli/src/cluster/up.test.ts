/** `mzsr up` as a user runs it: real processes, a real nats-server where there is one, small networks. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { readModel } from "@mzsr/mzsr";
import type { ClusterStatus, PreviewImage } from "@mzsr/shared";
import { until } from "@mzsr/testing/poll";
import { BIN, mzsr } from "@mzsr/testing/run-command";
import { hashesOf, makePhotos, processesWith, smallRun } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

const LONG = 120_000;
/** Keeps a core busy until it is killed, or for five minutes of processor time at most. */
const BUSY = "ulimit -t 300; while :; do :; done";

let photos: string;
const folder = sharedFolder();
beforeAll(async () => {
  photos = join(folder, "photos");
  await makePhotos(photos);
});

/** Starts `mzsr up` and keeps what it says. */
function up(run: string, ...args: string[]) {
  const child = spawn(process.execPath, [BIN, "up", "--run", run, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let notes = "";
  child.stdout.on("data", (chunk) => (notes += chunk));
  child.stderr.on("data", (chunk) => (notes += chunk));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, notes }));
  return { child, ended };
}

/** Workers and nats-server that `up` has started for a run; all name the run's folder or its parent's pid. */
const childrenOf = async (pid: number) => {
  const children: number[] = [];
  for (const name of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    if (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] === String(pid)) children.push(Number(name));
  }
  return children;
};

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it("trains for larger results, with support from LR images, to a model of that scale", { timeout: LONG }, async () => {
  for (const scale of [3, 4]) {
    const run = join(folder, `x${scale}`);
    const keys = [`degradation.scale=${scale}`, "metaTraining.supportFrom=low", "metaTraining.patchSize=24"];
    const set = keys.flatMap((key) => ["--set", key]);
    const { code, notes } = await up(run, ...smallRun(photos, 2, 3), ...set, "--workers", "1").ended;
    expect([code, notes]).toEqual([0, expect.stringContaining("Finished: ")]);
    expect((await readModel(join(run, "model.safetensors"))).scale).toBe(scale);
  }
});

it("trains from nothing to a model, lets status look on, and leaves no process behind", { timeout: LONG }, async () => {
  const run = join(folder, "whole");
  const { child, ended } = up(run, "--tensorboard", ...smallRun(photos, 10, 300));
  await until("a step is done", async () => (await hashesOf(run)).length > 10);
  const { code: statusCode, out } = await mzsr(["status", "--run", run, "--json"]);
  expect(statusCode).toBe(0);
  const status = JSON.parse(out) as ClusterStatus;
  expect(status).toMatchObject({ run: "whole", stage: "metaTraining", totalSteps: 310, backend: "simd" });
  expect(status.workers.map((worker) => worker.worker).sort()).toEqual(["worker-1", "worker-2"]);
  const second = await mzsr(["up", "--run", run, "--fresh"]);
  expect([second.code, second.notes]).toEqual([2, expect.stringContaining("a coordinator works on this run")]);
  const children = await childrenOf(child.pid!);
  expect(children.length).toBeGreaterThanOrEqual(2);

  const { code, notes } = await ended;
  expect([code, notes]).toEqual([0, expect.stringContaining("Finished: ")]);
  expect(await hashesOf(run)).toHaveLength(310);
  expect(await readdir(run)).toEqual(expect.arrayContaining(["config.yaml", "model.safetensors", "checkpoints"]));
  expect(await readdir(join(run, "tensorboard"))).toEqual([expect.stringContaining("tfevents")]);
  expect(await readdir(run)).not.toContain("coordinator.json");
  expect(children.filter(isAlive)).toEqual([]);
  expect(await processesWith(run)).toEqual([]);

  const listed = await mzsr(["runs", folder, "--json"]);
  expect(JSON.parse(listed.out)).toContainEqual(
    expect.objectContaining({ run: "whole", state: "finished", step: 310 }),
  );
});

it("finishes on a busy machine, and makes a preview that is missing when it is resumed", {
  timeout: 4 * LONG,
}, async () => {
  const run = join(folder, "busy");
  // Each at usual priority, in a session of its own, as another user's work is.
  const busy = Array.from({ length: 2 * availableParallelism() }, () => spawn("sh", ["-c", BUSY], { detached: true }));
  onTestFinished(() => {
    for (const loop of busy) loop.kill("SIGKILL");
  });
  const { code, notes } = await up(run, ...smallRun(photos, 2, 10), "--set", "checkpoints.every=100").ended;
  expect([code, notes]).toEqual([0, expect.stringContaining("Finished: ")]);
  expect(notes).not.toContain("no worker is left");
  expect(await readdir(run)).not.toContain("coordinator.json");
  for (const loop of busy) loop.kill("SIGKILL");
  await rm(join(run, "previews"), { recursive: true, force: true });
  expect(await up(run, "--resume").ended).toMatchObject({ code: 0 });
  const previews = JSON.parse(await readFile(join(run, "previews", "previews.json"), "utf8")) as PreviewImage[];
  expect(previews.map(({ entries }) => entries.at(-1)?.step)).toEqual(previews.map(() => 12));
  expect(previews.length).toBeGreaterThan(0);
});

it("stops on Ctrl-C with a checkpoint, and resumes to the same bits as a run that was never stopped", {
  timeout: LONG,
}, async () => {
  const [stopped, straight] = [join(folder, "stopped"), join(folder, "straight")];
  const size = smallRun(photos, 5, 120);
  const first = up(stopped, ...size);
  await until("a meta-step is done", async () => (await hashesOf(stopped)).length > 8);
  first.child.kill("SIGINT");
  const { code, notes } = await first.ended;
  expect(code).toBe(0);
  const done = (await hashesOf(stopped)).length;
  expect(notes).toContain(`Stopped after step ${done}. Go on with: npx mzsr up --run ${stopped} --resume`);
  expect(done).toBeLessThan(125);
  expect(await readdir(join(stopped, "checkpoints"))).toContain(`step-${String(done).padStart(8, "0")}.safetensors`);
  expect((await mzsr(["up", "--run", stopped])).code).toBe(2);

  expect(await up(stopped, "--resume", "--workers", "1").ended).toMatchObject({ code: 0 });
  expect(await up(straight, ...size).ended).toMatchObject({ code: 0 });
  expect(await hashesOf(stopped)).toEqual(await hashesOf(straight));
  expect(await readFile(join(stopped, "model.safetensors"))).toHaveLength(
    (await readFile(join(straight, "model.safetensors"))).length,
  );
});

it("ends with what is wrong when no worker can start, starts none again, and takes the corrected command", {
  timeout: LONG,
}, async () => {
  const run = join(folder, "no-such-backend");
  const { code, notes } = await up(run, ...smallRun(photos, 5, 5), "--backend", "cuda").ended;
  expect([code, notes]).toEqual([2, expect.stringMatching(/mzsr: backend cuda does not start: .*; expected auto, or/)]);
  expect(notes).not.toMatch(/starting it again/);
  expect(await up(run, ...smallRun(photos, 5, 5)).ended).toMatchObject({ code: 0 });
  expect(await hashesOf(run)).toHaveLength(10);
});

describe("when processes die", () => {
  it("starts a killed worker again and finishes", { timeout: LONG }, async () => {
    const run = join(folder, "killed-worker");
    const { ended } = up(run, ...smallRun(photos, 5, 400));
    await until("a step is done", async () => (await hashesOf(run)).length > 0);
    const [worker] = (await processesWith("--name worker-1")).filter(([, command]) => command.includes(photos));
    process.kill(worker![0], "SIGKILL");
    const { code, notes } = await ended;
    expect(notes).toMatch(/worker-1 ended with SIGKILL .*starting it again/);
    expect(code).toBe(0);
    expect(await hashesOf(run)).toHaveLength(405);
  });

  it("leaves nothing running when it is killed itself, and the run can go on", { timeout: LONG }, async () => {
    const run = join(folder, "killed");
    const { child, ended } = up(run, ...smallRun(photos, 5, 100_000), "--set", "checkpoints.every=5");
    await until(
      "a checkpoint is there",
      async () => (await readdir(join(run, "checkpoints")).catch(() => [])).length > 1,
    );
    const children = await childrenOf(child.pid!);
    child.kill("SIGKILL");
    await ended;
    await until("its children have noticed", async () => !children.some(isAlive));
    const again = up(run, "--resume", "--steps", String((await hashesOf(run)).length + 10));
    expect(await again.ended).toMatchObject({ code: 0 });
  });
});
