import { mkdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { ClusterStatus, MetricsColumns, PreviewImage, RunEventRecord, RunListing } from "@mzsr/shared";
import { helloOf } from "@mzsr/testing/scripted-worker";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test } from "vitest";
import type { RunningCoordinator } from "../options.js";
import { smallCoordinator, workerOf } from "../testing/small-coordinator.js";

async function get(coordinator: RunningCoordinator, path: string) {
  const response = await fetch(`http://${coordinator.httpAddress}${path}`);
  return { status: response.status, type: response.headers.get("content-type") ?? "", text: await response.text() };
}

async function json<T>(coordinator: RunningCoordinator, path: string): Promise<T> {
  const { status, text } = await get(coordinator, path);
  expect(status).toBe(200);
  return JSON.parse(text) as T;
}

/** Trains until a task of `step` is leased, and then no further. */
async function pausedAt(coordinator: RunningCoordinator, step: number) {
  const worker = workerOf(coordinator);
  const reached = new Promise<void>((resolve) => {
    worker.computeUntil(step, resolve);
  });
  worker.hello(helloOf("alice", { metricsAddress: "10.0.0.1:9000" }));
  await reached;
  return worker;
}

test("the status, the steps, the events and the runs of a live run are told as JSON", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder());
  await pausedAt(coordinator, 3);
  const status = await json<ClusterStatus>(coordinator, "/api/status");
  expect(status).toMatchObject({ run: "run", phase: "training", step: 3, totalSteps: 6, backend: "cpu" });
  expect(status.workers).toMatchObject([{ worker: "alice", state: "active", slots: 1 }]);
  const metrics = await json<MetricsColumns>(coordinator, "/api/metrics?from=2&points=10");
  expect(metrics.step).toEqual([2, 3]);
  const events = await json<RunEventRecord[]>(coordinator, "/api/events?last=1");
  expect(events).toHaveLength(1);
  const runs = await json<RunListing[]>(coordinator, "/api/runs");
  expect(runs.map(({ run, live }) => [run, live])).toEqual([["run", true]]);
  expect(await json<unknown>(coordinator, "/api/activity")).toMatchObject({ workers: expect.any(Array) });
  expect(await json<unknown>(coordinator, "/api/activity?worker=nobody")).toMatchObject({ workers: [] });
});

test("a finished run beside the live one is told from its files", async () => {
  const folder = await temporaryFolder();
  const first = await smallCoordinator(folder, { runFolder: join(folder, "first"), runName: "first" });
  const worker = workerOf(first);
  worker.compute();
  worker.hello(helloOf("alice"));
  await first.finished;
  const live = await smallCoordinator(folder);
  const runs = await json<RunListing[]>(live, "/api/runs");
  expect(runs.map(({ run, live: lives, status }) => [run, lives, status.phase])).toEqual([
    ["run", true, "waiting"],
    ["first", false, "finished"],
  ]);
  expect((await json<MetricsColumns>(live, "/api/metrics?run=first")).lastStep).toBe(6);
  expect((await get(live, "/api/status?run=nobody")).status).toBe(404);
  expect((await get(live, "/api/status?run=..%2Frun")).status).toBe(404);
});

test("Prometheus finds the coordinator and its workers, and every metric carries the run", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder());
  await pausedAt(coordinator, 4);
  expect(await json<unknown>(coordinator, "/sd")).toEqual([
    { targets: [coordinator.httpAddress], labels: expect.objectContaining({ run: "run" }) },
    { targets: ["127.0.0.1:9000"], labels: expect.objectContaining({ run: "run", worker: "alice" }) },
  ]);
  const { text, type } = await get(coordinator, "/metrics");
  expect(type).toContain("text/plain; version=0.0.4");
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(samples.filter((line) => !line.includes('run="run"'))).toEqual([]);
  for (const sample of [
    'mzsr_meta_steps_total{stage="metaTraining",run="run"} 2',
    'mzsr_steps_planned{stage="metaTraining",run="run"} 4',
    'mzsr_tasks_total{worker="alice",outcome="accepted",run="run"} 10',
    'mzsr_workers{state="active",run="run"} 1',
    'mzsr_loss{set="query",moment="before",run="run"} 0.25',
    'mzsr_audits_total{result="match",run="run"} 0',
  ]) {
    expect(samples).toContain(sample);
  }
  expect(text).toMatch(/mzsr_inner_rate\{inner_step="1",tensor="conv2\/bias",run="run"\} 0\.\d/);
  expect(text).toMatch(/mzsr_gradient_bytes_total\{run="run"\} [1-9]/);
});

/** The event stream, as [name, data] pairs that arrive. */
function openStream(coordinator: RunningCoordinator, onMessage: (name: string, data: unknown) => void): void {
  const call = request(`http://${coordinator.httpAddress}/api/stream`, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const [, name, data] = /^event: (.*)\ndata: (.*)$/s.exec(text.slice(0, end))!;
        text = text.slice(end + 2);
        onMessage(name!, JSON.parse(data!));
      }
    });
  });
  call.on("error", () => undefined).end();
  onTestFinished(() => void call.destroy());
}

test("the stream begins with a status, then tells events and the newest step", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder());
  const seen: string[] = [];
  const told = new Promise<void>((resolve) => {
    openStream(coordinator, (name, data) => {
      seen.push(name === "event" ? `event ${(data as RunEventRecord).kind}` : name);
      if (name === "step") resolve();
      if (seen.length === 1) void pausedAt(coordinator, 2);
    });
  });
  await told;
  expect(seen[0]).toBe("status");
  expect(seen).toContain("event join");
});

test("pictures of the run are served, and nothing outside their folder", async () => {
  const folder = await temporaryFolder();
  const previews = join(folder, "run", "previews");
  const coordinator = await smallCoordinator(folder);
  expect(await json<PreviewImage[]>(coordinator, "/api/images")).toEqual([]);
  await mkdir(previews, { recursive: true });
  await writeFile(join(previews, "cat-4.png"), "a picture");
  await writeFile(join(previews, "previews.json"), "[]");
  expect(await get(coordinator, "/api/images/cat-4.png")).toMatchObject({
    status: 200,
    type: "image/png",
    text: "a picture",
  });
  for (const path of ["/api/images/dog.png", "/api/images/..%2Fconfig.yaml", "/..%2f..%2fnoise-0.png", "/nothing"]) {
    expect((await get(coordinator, path)).status).toBe(404);
  }
});

test("what makes no sense gets a sentence and the right status", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder());
  expect(await get(coordinator, "/api/metrics?points=many")).toMatchObject({
    status: 400,
    text: '{"error":"points is many, not a whole number"}',
  });
  expect((await get(coordinator, "/%ZZ")).status).toBe(400);
  const posted = await fetch(`http://${coordinator.httpAddress}/api/status`, { method: "POST" });
  expect(posted.status).toBe(405);
  expect(await get(coordinator, "/healthz")).toMatchObject({ status: 200 });
  expect(await get(coordinator, "/readyz")).toMatchObject({ status: 200 });
});

test("an HTTP port in use is named with the flag that sets it, and the run folder is let go", async () => {
  const folder = await temporaryFolder();
  const first = await smallCoordinator(folder);
  const httpPort = Number(first.httpAddress.split(":")[1]);
  const other = { runFolder: join(folder, "other"), listen: { host: "127.0.0.1", grpcPort: 0, httpPort } };
  await expect(smallCoordinator(folder, other)).rejects.toThrow(new RegExp(`port ${httpPort} is in use.*--http-port`));
  await smallCoordinator(folder, { runFolder: join(folder, "other") });
});
