/** A run that is finished, and a coordinator that stays for it. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasMzsr, MzsrProcess } from "@mzsr/testing/mzsr-process";
import { poll } from "@mzsr/testing/poll";
import { makePhotos, smallRun } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasPrometheus, PrometheusServer } from "../prometheus/prometheus-server.js";

const AUTOSCALING = new URL("../../deploy/helm/mzsr-cluster/templates/autoscaling.yaml", import.meta.url);

async function sha256Of(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

/** What the chart has KEDA ask, for a run. */
async function queryOfAutoscaler(run: string): Promise<string> {
  const [, query] = /^ +query: (.*)$/m.exec(await readFile(fileURLToPath(AUTOSCALING), "utf8"))!;
  return query!.replaceAll(/\{\{ include "mzsr.run" . \| quote \}\}/g, JSON.stringify(run));
}

describe.skipIf(!hasMzsr())("mzsr coordinator --stay", { timeout: 240_000 }, () => {
  const folder = sharedFolder();
  const processes: MzsrProcess[] = [];
  let coordinator: MzsrProcess;
  let page: string;

  function start(...args: string[]): MzsrProcess {
    const process = new MzsrProcess(args);
    processes.push(process);
    return process;
  }

  function startWorker(name: string, grpc: string): MzsrProcess {
    const how = ["--name", name, "--slots", "1", "--backend", "simd", "--cache-dir", join(folder, "cache")];
    return start("worker", "--coordinator", grpc, ...how);
  }

  async function startCoordinator(...args: string[]): Promise<{ grpc: string; page: string }> {
    const doors = ["--port", "0", "--http-port", "0", "--run", join(folder, "run")];
    coordinator = start("coordinator", ...doors, "--stay", ...args);
    const ready = await coordinator.logged((line) => typeof line.grpc === "string");
    return { grpc: ready.grpc as string, page: ready.page as string };
  }

  const staying = () => coordinator.logged(({ msg }) => String(msg).includes("fetch-model --from"));

  async function fetchModel(to: string, ...more: string[]): Promise<number | null> {
    return start("fetch-model", "--from", page, "-o", join(folder, to), ...more).exit();
  }

  beforeAll(async () => {
    const photos = join(folder, "photos");
    await makePhotos(photos);
    const where = await startCoordinator(...smallRun(photos, 2, 3));
    page = where.page;
    // Not finished: no model, and no file is left behind.
    expect(await fetchModel("early.safetensors")).toBe(1);
    expect(processes.at(-1)!.lines.join()).toMatch(/run has no model yet: step 0 of 5/);
    const worker = startWorker("a", where.grpc);
    await staying();
    expect(await worker.exit()).toBe(0);
    // One that comes late, as a pod that is started again does, is sent home.
    expect(await startWorker("late", where.grpc).exit()).toBe(0);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(processes.map((process) => process.kill()));
  });

  test("goes on serving the page, the status and the model of the finished run", async () => {
    expect(await (await fetch(page)).text()).toContain("<html");
    expect(await (await fetch(`${page}/readyz`)).text()).toBe("ready\n");
    expect(await (await fetch(`${page}/api/status`)).json()).toMatchObject({ phase: "finished", step: 5 });
    expect(await fetchModel("fetched.safetensors")).toBe(0);
    const model = join(folder, "run/model.safetensors");
    expect(await sha256Of(join(folder, "fetched.safetensors"))).toBe(await sha256Of(model));
    // What stands there is kept.
    expect(await fetchModel("fetched.safetensors")).toBe(2);
    expect(await fetchModel("fetched.safetensors", "--force")).toBe(0);
    const answer = await fetch(`${page}/model.safetensors`);
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="run.safetensors"');
  });

  test("is not removed while it is served, and loses nothing by the attempt", async () => {
    const run = join(folder, "run");
    const removal = start("runs", run, "--remove");
    expect(await removal.exit()).toBe(2);
    expect(removal.lines.join("\n")).toMatch(/works on this run \(.*\); expected that coordinator stopped first$/);
    expect(await readdir(run)).toEqual(
      expect.arrayContaining(["config.yaml", "lock", "metrics.jsonl", "model.safetensors"]),
    );
    expect(await (await fetch(`${page}/api/metrics`)).json()).toMatchObject({ lastStep: 5 });
  });

  test.skipIf(!hasPrometheus())(
    "tells Prometheus that it is finished, and the autoscaler that nobody is needed",
    async () => {
      const prometheus = await PrometheusServer.start(join(folder, "prometheus"), new URL(page).host, "fast");
      try {
        const newest = async (expr: string) => (await prometheus.range(expr, 10))[0]?.values.at(-1)?.[1];
        await poll("the run is seen as finished", 60, async () =>
          (await newest('mzsr_run_finished{run="run"}')) === "1" ? true : undefined,
        );
        const query = await queryOfAutoscaler("run");
        const wanted = await poll("the autoscaler's query has an answer", 60, () => newest(query));
        expect(wanted).toBe("0");
        expect(await newest('up{job="mzsr-coordinator"}')).toBe("1");
      } finally {
        await prometheus.stop();
      }
    },
  );

  test("ends with 0 at SIGTERM, and a finished run that is resumed is served at once, without a worker; stopped, it can be removed", async () => {
    const before = await sha256Of(join(folder, "run/model.safetensors"));
    coordinator.signal("SIGTERM");
    expect(await coordinator.exit()).toBe(0);
    page = (await startCoordinator("--resume")).page;
    await staying();
    expect(await (await fetch(`${page}/metrics`)).text()).toContain('mzsr_run_finished{run="run"} 1');
    expect(await fetchModel("again.safetensors")).toBe(0);
    expect(await sha256Of(join(folder, "again.safetensors"))).toBe(before);
    coordinator.signal("SIGTERM");
    expect(await coordinator.exit()).toBe(0);
    expect(await start("runs", join(folder, "run"), "--remove").exit()).toBe(0);
    expect(await readdir(folder)).not.toContain("run");
  });
});
