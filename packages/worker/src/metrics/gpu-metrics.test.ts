import { expect, it } from "vitest";
import { parseGpus } from "../gpu/nvidia-smi.js";
import { WorkerMetrics } from "./worker-metrics.js";

it("metrics tell of GPUs, and where the time of batches went", async () => {
  const metrics = new WorkerMetrics({
    worker: "w",
    backend: "webgpu",
    slots: () => 8,
    tensorBytes: () => 0,
    gpus: () => parseGpus("0, NVIDIA H100, 550.54, 87, 1024, 81559, 61\n"),
    batches: () => ({ tasks: 6, shares: { data: 0.1, upload: 0.2, compute: 0.6, readBack: 0.1 } }),
  });
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/mzsr_gpu_temperature_celsius\{.*gpu="0".*\} 61/);
  expect(text).toMatch(/mzsr_gpu_info\{.*name="NVIDIA H100",driver="550.54".*\} 1/);
  expect(text).toMatch(/mzsr_worker_batch_tasks\{.*\} 6/);
  expect(text).toMatch(/mzsr_worker_batch_time_ratio\{.*part="compute".*\} 0.6/);
});
