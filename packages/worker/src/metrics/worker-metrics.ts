/** What a worker tells Prometheus (docs/design.md §10). */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { BatchTelemetry } from "../compute/computer.js";
import type { GpuReading } from "../gpu/nvidia-smi.js";

/** From a tiny task on a GPU to a paper-sized one on an old core, in seconds. */
const TASK_SECONDS_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120];

/**
 * prom-client tells of the event loop's lag twice: measured when Prometheus asks, and as a distribution, for which a timer
 * wakes the process 100 times a second in the middle of a task. We do without the latter.
 */
const LAG_TIMER_MS = 3_600_000;
const LAG_DISTRIBUTION = /^nodejs_eventloop_lag_\w+_seconds$/;

/** Where the values come from that are read when Prometheus asks. */
export interface WorkerMetricsSources {
  readonly worker: string;
  readonly backend: string;
  readonly slots: () => number;
  readonly tensorBytes: () => number;
  readonly gpus: () => readonly GpuReading[];
  readonly batches?: () => BatchTelemetry | undefined;
}

export class WorkerMetrics {
  readonly registry = new Registry();
  /** Name of the run, once the coordinator has told it. */
  run = "";
  /** Share of the slots' time spent on tasks lately, 0…1. */
  busyRatio = 0;
  readonly #worker: string;
  readonly #tasks: Counter;
  readonly #taskSeconds: Histogram;
  readonly #reconnects: Counter;

  constructor({ worker, backend, slots, tensorBytes, gpus, batches = () => undefined }: WorkerMetricsSources) {
    this.#worker = worker;
    this.#collectDefaults();
    const registers = [this.registry];
    const name = (metric: string) => `mzsr_worker_${metric}`;
    this.#tasks = new Counter({
      name: name("tasks_total"),
      help: "Tasks, by how they ended on this worker",
      labelNames: ["worker", "run", "outcome"],
      registers,
    });
    this.#reconnects = new Counter({
      name: name("reconnects_total"),
      help: "Sessions begun after the first",
      labelNames: ["worker", "run"],
      registers,
    });
    this.#taskSeconds = new Histogram({
      name: name("task_seconds"),
      help: "Time of a task: making its patches (data) and its gradient (compute)",
      labelNames: ["worker", "run", "part"],
      buckets: TASK_SECONDS_BUCKETS,
      registers,
    });
    this.#gauge(name("busy_ratio"), "Share of the slots' time spent on tasks", () => [[{}, this.busyRatio]]);
    this.#gauge(name("slots"), "Tasks computed at a time", () => [[{}, slots()]]);
    this.#gauge(name("tensor_bytes"), "Tensors that the backends hold", () => [[{}, tensorBytes()]]);
    this.#gauge(name("backend_info"), "1, with the backend as a label", () => [[{ backend }, 1]]);
    this.#gauge(name("batch_tasks"), "Tasks of a batch, on average over the newest", () => {
      const newest = batches();
      return newest === undefined ? [] : [[{}, newest.tasks]];
    });
    this.#gauge(name("batch_time_ratio"), "Share of a batch's time in data, upload, compute and readBack", () =>
      Object.entries(batches()?.shares ?? {}).map(([part, value]): Sample => [{ part }, value]),
    );
    this.#gauge("mzsr_gpu_temperature_celsius", "Temperature of the GPU", () =>
      gpus().flatMap(({ gpu, temperature }): Sample[] => (temperature === undefined ? [] : [[{ gpu }, temperature]])),
    );
    this.#gauge("mzsr_gpu_info", "1, with the GPU's name and driver as labels", () =>
      gpus().map(({ gpu, name, driver }): Sample => [{ gpu, name, driver }, 1]),
    );
    const eachGpu = (value: (reading: GpuReading) => number) => () =>
      gpus().map((reading): Sample => [{ gpu: reading.gpu }, value(reading)]);
    this.#gauge(
      "mzsr_gpu_utilisation_ratio",
      "Share of time in which the GPU computed",
      eachGpu((gpu) => gpu.utilisation),
    );
    this.#gauge(
      "mzsr_gpu_memory_used_bytes",
      "GPU memory in use",
      eachGpu((gpu) => gpu.memoryUsedBytes),
    );
    this.#gauge(
      "mzsr_gpu_memory_total_bytes",
      "GPU memory",
      eachGpu((gpu) => gpu.memoryTotalBytes),
    );
  }

  taskDone({ dataSeconds, computeSeconds }: { readonly dataSeconds: number; readonly computeSeconds: number }): void {
    this.#tasks.inc({ ...this.#labels(), outcome: "done" });
    this.#taskSeconds.observe({ ...this.#labels(), part: "data" }, dataSeconds);
    this.#taskSeconds.observe({ ...this.#labels(), part: "compute" }, computeSeconds);
  }

  taskEnded(outcome: "failed" | "abandoned"): void {
    this.#tasks.inc({ ...this.#labels(), outcome });
  }

  reconnected(): void {
    this.#reconnects.inc(this.#labels());
  }

  #collectDefaults(): void {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LAG_TIMER_MS });
    const names = this.registry.getMetricsAsArray().map(({ name }) => name);
    for (const name of names.filter((name) => LAG_DISTRIBUTION.test(name))) this.registry.removeSingleMetric(name);
  }

  #labels(): { worker: string; run: string } {
    return { worker: this.#worker, run: this.run };
  }

  #gauge(name: string, help: string, read: () => readonly Sample[]): void {
    const labels = () => this.#labels();
    new Gauge({
      name,
      help,
      labelNames: ["worker", "run", "backend", "gpu", "name", "driver", "part"],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [more, value] of read()) this.set({ ...labels(), ...more }, value);
      },
    });
  }
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];
