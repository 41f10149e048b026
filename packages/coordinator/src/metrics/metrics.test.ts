import type { ClusterStatus, RunEvent, WorkerStatus } from "@mzsr/shared";
import { fakeStatus, fakeWorker } from "@mzsr/testing/fake-feed";
import { expect, test } from "vitest";
import { CoordinatorMetrics } from "./metrics.js";
import { KEPT_AFTER_LEAVING_SECONDS, MOST_HISTOGRAMS, OTHER_WORKERS } from "./worker-series.js";

/** Metrics of a run whose clock and workers a test moves. */
function watched() {
  const run = { nowMs: 1_000_000, status: fakeStatus() as ClusterStatus };
  const metrics = new CoordinatorMetrics(
    "r",
    () => run.status,
    () => run.nowMs,
  );
  const happened = (kind: RunEvent["kind"], worker: string) => metrics.happened({ kind, worker, reason: "for a test" });
  const accepted = (worker: string) =>
    metrics.taskEnded({ type: "taskEnded", worker, outcome: "accepted", seconds: 0.5, bytes: 100 });
  const samples = async () => (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const connected = (workers: readonly WorkerStatus[]) => {
    run.status = fakeStatus({ workers });
  };
  return { run, metrics, happened, accepted, samples, connected };
}

test("the series of a worker that left stay for five minutes, then go, and the run's totals stay", async () => {
  const { run, happened, accepted, samples, connected } = watched();
  for (const worker of ["stays", "leaves", "returns"]) {
    happened("join", worker);
    accepted(worker);
  }
  happened("quarantine", "leaves");
  happened("leave", "returns");
  connected([fakeWorker("stays"), fakeWorker("leaves", { state: "gone" })]);
  const named = async (worker: string) => (await samples()).filter((line) => line.includes(`worker="${worker}"`));

  run.nowMs += 1000 * KEPT_AFTER_LEAVING_SECONDS - 1;
  expect(await named("leaves")).toContain('mzsr_tasks_total{worker="leaves",outcome="accepted",run="r"} 1');
  expect(await named("leaves")).toContain('mzsr_quarantines_total{worker="leaves",run="r"} 1');
  happened("join", "returns");
  run.nowMs += 1;
  expect(await named("leaves")).toEqual([]);
  expect(await named("stays")).toContain('mzsr_tasks_total{worker="stays",outcome="accepted",run="r"} 1');
  expect(await named("returns")).toContain('mzsr_tasks_total{worker="returns",outcome="accepted",run="r"} 1');
  expect(await samples()).toContain('mzsr_tasks_ended_total{outcome="accepted",run="r"} 3');
  expect(await samples()).toContain('mzsr_events_total{kind="quarantine",run="r"} 1');
});

test("series do not pile up while thousands of workers come and go and nobody scrapes", async () => {
  const { run, happened, accepted, samples } = watched();
  for (let n = 0; n < 3000; n++) {
    happened("join", `worker-${n}`);
    accepted(`worker-${n}`);
    happened("leave", `worker-${n}`);
    run.nowMs += 10_000;
  }
  const lines = await samples();
  expect(lines.filter((line) => line.startsWith("mzsr_tasks_total")).length).toBeLessThanOrEqual(31);
  expect(lines.length).toBeLessThan(700);
});

test("a scrape of 1,000 workers is bounded, and no task is missing from the histograms' sum", async () => {
  const { metrics, happened, accepted, samples, connected } = watched();
  const names = Array.from({ length: 1000 }, (_, n) => `worker-${n}`);
  for (const worker of names) {
    happened("join", worker);
    accepted(worker);
  }
  connected(names.map((name) => fakeWorker(name)));
  const counts = (await samples()).filter((line) => line.startsWith("mzsr_task_seconds_count"));
  expect(counts).toHaveLength(MOST_HISTOGRAMS + 1);
  expect(counts).toContain(`mzsr_task_seconds_count{run="r",worker="${OTHER_WORKERS}"} 900`);
  expect(counts.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0)).toBe(1000);
  expect((await metrics.text()).length).toBeLessThan(400_000);
});
