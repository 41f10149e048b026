/** A real Prometheus scrapes what a worker with a GPU exports: every panel of the GPU dashboard has data then. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { poll } from "@mzsr/testing/poll";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { afterAll, expect, test } from "vitest";
import { gpuDashboard } from "../../deploy/grafana/src/gpu.js";
import { parseGpus } from "../../packages/worker/src/gpu/nvidia-smi.js";
import { WorkerMetrics } from "../../packages/worker/src/metrics/worker-metrics.js";
import { dashboardQueries, inPrometheus } from "./dashboard-queries.js";
import { hasPrometheus, PrometheusServer } from "./prometheus-server.js";

const PATIENCE_SECONDS = 60;
const RANGE_SECONDS = 60;

/** What the coordinator exports of itself; the dashboards choose the run by it, and mark what happened. */
const OTHERS = /mzsr_steps_planned|mzsr_worker_events|mzsr_(?!gpu_|worker_)/;

const folder = sharedFolder();
const ends: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** One address for service discovery and for the metrics of a worker that has done a task. Resolves to host:port. */
async function workerWithGpu(): Promise<string> {
  const metrics = new WorkerMetrics({
    worker: "w",
    backend: "webgpu",
    slots: () => 32,
    tensorBytes: () => 0,
    gpus: () => parseGpus("0, NVIDIA H100, 550.54, 87, 1024, 81559, 61\n"),
    batches: () => ({ tasks: 16, shares: { data: 0.1, upload: 0.2, compute: 0.6, readBack: 0.1 } }),
  });
  metrics.run = "tiny";
  const server = createServer(async ({ url }, response) => {
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    response.setHeader("content-type", url === "/sd" ? "application/json" : metrics.registry.contentType);
    if (url === "/sd") return response.end(JSON.stringify([{ targets: [address], labels: {} }]));
    metrics.taskDone({ dataSeconds: 0.01, computeSeconds: 0.1 });
    return response.end(await metrics.registry.metrics());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.skipIf(!hasPrometheus())("every panel of the GPU dashboard has data of a worker with a GPU", async () => {
  const prometheus = await PrometheusServer.start(folder, await workerWithGpu(), "fast");
  ends.push(() => prometheus.stop());
  const queries = dashboardQueries({ gpu: gpuDashboard() }).filter((query) => !OTHERS.test(query));
  expect(queries.filter((query) => /mzsr_gpu_|mzsr_worker_batch_/.test(query)).length).toBeGreaterThan(8);
  for (const query of queries) {
    await poll(query, PATIENCE_SECONDS, async () => {
      const series = await prometheus.range(inPrometheus(query), RANGE_SECONDS);
      return series.length > 0 ? true : undefined;
    });
  }
});
