import perfHooks from "node:perf_hooks";
import { expect, it, vi } from "vitest";
import { WorkerMetrics } from "./worker-metrics.js";

it("tells of the process without a timer that wakes it while it computes", async () => {
  const monitor = vi.spyOn(perfHooks, "monitorEventLoopDelay");
  const { registry } = new WorkerMetrics({
    worker: "w",
    backend: "simd",
    slots: () => 1,
    tensorBytes: () => 0,
    gpus: () => [],
  });
  expect(monitor).toHaveBeenCalled();
  for (const [options] of monitor.mock.calls) expect(options?.resolution).toBeGreaterThanOrEqual(60_000);

  const text = await registry.metrics();
  expect(text).toMatch(/^process_cpu_seconds_total \d/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds \d/m);
  expect(text).not.toContain("nodejs_eventloop_lag_p99_seconds");
});
