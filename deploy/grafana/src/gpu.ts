/** Are the GPUs used, and do they have room? */
import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { frame } from "./frame.js";
import { graph, stat } from "./parts.js";

const WORKER = 'run="$run",worker=~"$worker"';
const MEMORY_SHARE = `mzsr_gpu_memory_used_bytes{${WORKER}} / mzsr_gpu_memory_total_bytes{${WORKER}}`;

export function gpuDashboard(): Dashboard {
  return frame({
    uid: "mzsr-gpu",
    title: "MZSR / GPU",
    description: "Utilisation and memory of the workers' GPUs, and what they make of them. Empty without GPUs.",
  })
    .withPanel(
      stat({ title: "GPUs", description: "That report.", unit: "none", width: 6 }, [
        { expr: `count(mzsr_gpu_utilisation_ratio{${WORKER}})`, legend: "" },
      ]),
    )
    .withPanel(
      stat(
        {
          title: "Utilisation",
          description: "Mean share of time in which they computed.",
          unit: "percentunit",
          width: 6,
        },
        [{ expr: `avg(mzsr_gpu_utilisation_ratio{${WORKER}})`, legend: "" }],
        {
          thresholds: [
            { value: null, color: "orange" },
            { value: 0.5, color: "green" },
          ],
        },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Fullest memory",
          description: "Share in use on the GPU that has least left.",
          unit: "percentunit",
          width: 6,
        },
        [{ expr: `max(${MEMORY_SHARE})`, legend: "" }],
        {
          thresholds: [
            { value: null, color: "green" },
            { value: 0.8, color: "orange" },
            { value: 0.95, color: "red" },
          ],
        },
      ),
    )
    .withPanel(
      stat(
        { title: "Backends", description: "Workers by what they compute on.", unit: "none", width: 6 },
        [{ expr: `count by (backend) (mzsr_worker_backend_info{${WORKER}})`, legend: "{{backend}}" }],
        { named: true },
      ),
    )
    .withRow(new RowBuilder("Devices"))
    .withPanel(
      graph(
        {
          title: "Utilisation",
          description: "Low with many tasks waiting: give the worker more --slots.",
          unit: "percentunit",
          width: 12,
        },
        [{ expr: `mzsr_gpu_utilisation_ratio{${WORKER}}`, legend: "{{worker}} / {{gpu}}" }],
        { min: 0, max: 1 },
      ),
    )
    .withPanel(
      graph(
        { title: "Memory in use", description: "Share of each GPU's memory.", unit: "percentunit", width: 12 },
        [{ expr: MEMORY_SHARE, legend: "{{worker}} / {{gpu}}" }],
        { min: 0, max: 1 },
      ),
    )
    .withPanel(
      graph(
        { title: "Memory", description: "In use, and what there is.", unit: "bytes", width: 12 },
        [
          { expr: `mzsr_gpu_memory_used_bytes{${WORKER}}`, legend: "{{worker}} / {{gpu}} used" },
          { expr: `mzsr_gpu_memory_total_bytes{${WORKER}}`, legend: "{{worker}} / {{gpu}} total" },
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Tensors",
          description: "Memory that the backends' tensors hold; flat, or something leaks.",
          unit: "bytes",
          width: 12,
        },
        [{ expr: `mzsr_worker_tensor_bytes{${WORKER}}`, legend: "{{worker}}" }],
        { min: 0 },
      ),
    )
    .withRow(new RowBuilder("What they make of it"))
    .withPanel(
      graph(
        { title: "Time of a gradient", description: "Median by worker.", unit: "s", width: 12 },
        [
          {
            expr: `histogram_quantile(0.5, sum by (worker, le) (rate(mzsr_worker_task_seconds_bucket{${WORKER},part="compute"}[$__rate_interval])))`,
            legend: "{{worker}}",
          },
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        { title: "Tasks per second", description: "By worker.", unit: "short", width: 12 },
        [
          {
            expr: `sum by (worker) (rate(mzsr_worker_tasks_total{${WORKER},outcome="done"}[$__rate_interval]))`,
            legend: "{{worker}}",
          },
        ],
        { stacked: true, min: 0 },
      ),
    )
    .build();
}
