/** The scripts of deploy/slurm under a real SLURM. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunEventRecord } from "@mzsr/shared";
import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { poll } from "@mzsr/testing/poll";
import { mzsr } from "@mzsr/testing/run-command";
import { hashesOf, makePhotos, processesWith, smallRun } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasSlurm, SlurmCluster } from "./slurm-cluster.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PATIENCE_SECONDS = 120;
/** So many that the run goes on for as long as jobs come and go. */
const STEPS = 600;
const ENDED = /COMPLETED|FAILED|CANCELLED|TIMEOUT/;

describe.skipIf(!hasSlurm() || !hasMzsr())("deploy/slurm", { timeout: 400_000 }, () => {
  const folder = sharedFolder();
  const photos = join(folder, "photos");
  let slurm: SlurmCluster;

  beforeAll(async () => {
    await makePhotos(photos);
    slurm = await SlurmCluster.start(join(folder, "slurm"), 4);
  }, 120_000);

  afterAll(() => slurm?.stop(), 60_000);

  /** Submits one of the scripts, as from the repository, for a run in the folder. Returns the job's number. */
  function submit(script: string, run: string, options: readonly string[], args: readonly string[] = []): string {
    const env = { RUN: join(folder, run), MZSR_HOST: "127.0.0.1", MZSR_HOME: root };
    const flags = ["--parsable", "--mem-per-cpu=100M", "--export=ALL", ...options];
    return slurm.command("sbatch", [...flags, join(root, "deploy/slurm", script), ...args], { cwd: folder, env });
  }

  /** Name of a job's first worker. */
  function workerOf(job: string): string {
    return `job${job.replace("_", "-")}-0`;
  }

  async function happened(kind: string, worker: string, job: string, run = "run"): Promise<void> {
    await poll(`${kind} of ${worker}`, PATIENCE_SECONDS, async () => {
      const text = await readFile(join(folder, run, "events.jsonl"), "utf8").catch(() => "");
      const events = text.split("\n").filter((line) => line.endsWith("}"));
      const found = events.map((line) => JSON.parse(line) as RunEventRecord);
      return found.some((event) => event.kind === kind && event.worker === worker) ? true : undefined;
    }).catch(async (thrown: unknown) => {
      throw new Error(`${String(thrown)}\n${await logOf(job)}`);
    });
  }

  async function logOf(job: string): Promise<string> {
    const name = job.includes("_") ? `mzsr-worker-${job}.log` : `mzsr-${job}.log`;
    return readFile(join(folder, name), "utf8").catch(() => "no log");
  }

  async function processOf(worker: string): Promise<number> {
    const found = await processesWith(`--name ${worker}`);
    return found.find(([, command]) => command.startsWith("node"))![0];
  }

  async function gpuOf(pid: number): Promise<string | undefined> {
    return /CUDA_VISIBLE_DEVICES=([^\0]*)/.exec(await readFile(`/proc/${pid}/environ`, "utf8"))?.[1];
  }

  async function isQueuedAgain(job: string): Promise<void> {
    await poll(`job ${job} is put into the queue again`, PATIENCE_SECONDS, async () => {
      const { JobState, Restarts } = slurm.job(job);
      return JobState === "PENDING" && Restarts === "1" ? true : undefined;
    });
  }

  async function ends(job: string): Promise<Readonly<Record<string, string>>> {
    return poll(`job ${job} ends`, PATIENCE_SECONDS, async () => {
      const state = slurm.job(job);
      return ENDED.test(state.JobState!) ? state : undefined;
    });
  }

  test("trains with workers that are cancelled, added and told that their time is up, to the bits of mzsr up", async () => {
    const training = smallRun(photos, 2, STEPS);
    // It waits for the coordinator, so that both begin together.
    const first = `${submit("workers.sbatch", "run", ["--array=1", "--gres=gpu:1"])}_1`;
    const run = submit("train.sbatch", "run", ["--ntasks=1", "--gres=gpu:1"], training);
    await happened("join", workerOf(run), run);
    await happened("join", workerOf(first), first);
    // Each has a GPU of its own.
    const [own, other] = await Promise.all([processOf(workerOf(run)), processOf(workerOf(first))]);
    expect([await gpuOf(own), await gpuOf(other)].sort()).toEqual(["0", "1"]);

    // With this one stopped, the run cannot end before another has come.
    process.kill(own, "SIGSTOP");
    slurm.command("scancel", [first]);
    await happened("leave", workerOf(first), first);

    const added = `${submit("workers.sbatch", "run", ["--array=1"])}_1`;
    await happened("join", workerOf(added), added);
    // What SLURM does a minute before the time is up.
    slurm.command("scancel", ["--batch", "--signal=USR1", added]);
    await happened("leave", workerOf(added), added);
    await isQueuedAgain(added);
    process.kill(own, "SIGCONT");

    expect(await ends(run), await logOf(run)).toMatchObject({ JobState: "COMPLETED", ExitCode: "0:0" });
    expect(existsSync(join(folder, "run/model.safetensors"))).toBe(true);
    const hashes = await hashesOf(join(folder, "run"));
    expect(hashes).toHaveLength(STEPS + 2);

    const up = await mzsr(["up", "--run", join(folder, "up"), ...training, "--workers", "1", "--http-port", "0"]);
    expect(up.code, up.notes).toBe(0);
    expect(hashes).toEqual(await hashesOf(join(folder, "up")));
  });

  test("stops a run with a checkpoint when its time is nearly up, leaves nothing behind, and queues it again", async () => {
    const args = [...smallRun(photos, 2, 1_000_000), "--set", "checkpoints.every=1000000"];
    const run = submit("train.sbatch", "long", ["--ntasks=2"], args);
    await happened("join", `job${run}-0`, run, "long");
    await happened("join", `job${run}-1`, run, "long");
    slurm.command("scancel", ["--batch", "--signal=USR1", run]);
    await isQueuedAgain(run);
    // One of the stage's end, one of the stop.
    expect((await readdir(join(folder, "long/checkpoints"))).length).toBeGreaterThan(0);
    expect(await processesWith(join(folder, "long"))).toEqual([]);
  });
});
