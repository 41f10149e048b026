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
    description:
      "The workers' GPUs and what they make of them. Empty without GPUs; what nvidia-smi tells, for NVIDIA's alone.",
  })
    .withPanel(
      stat(
        {
          title: "GPUs",
          description: "That report.",
          normal: "as many as were given to workers.",
          unit: "none",
          width: 4,
        },
        [{ expr: `count(mzsr_gpu_utilisation_ratio{${WORKER}})`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "Utilisation",
          description: "Mean share of time in which they computed.",
          normal: "above 50 %.",
          unit: "percentunit",
          width: 5,
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
          normal: "below 80 %, and flat.",
          unit: "percentunit",
          width: 5,
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
        {
          title: "Hottest",
          description: "Temperature of the warmest GPU.",
          normal: "below 80 °C.",
          unit: "celsius",
          width: 5,
        },
        [{ expr: `max(mzsr_gpu_temperature_celsius{${WORKER}})`, legend: "" }],
        {
          thresholds: [
            { value: null, color: "green" },
            { value: 80, color: "orange" },
            { value: 90, color: "red" },
          ],
        },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Backends",
          description: "Workers by what they compute on.",
          normal: "one backend for a run.",
          unit: "none",
          width: 5,
        },
        [{ expr: `count by (backend) (mzsr_worker_backend_info{${WORKER}})`, legend: "{{backend}}" }],
        { named: true },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Cards",
          description: "How many there are of each, with their driver.",
          normal: "one driver for a kind of card.",
          unit: "none",
          width: 24,
        },
        [{ expr: `count by (name, driver) (mzsr_gpu_info{${WORKER}})`, legend: "{{name}}, driver {{driver}}" }],
        { named: true },
      ),
    )
    .withRow(new RowBuilder("Devices"))
    .withPanel(
      graph(
        {
          title: "Utilisation",
          description:
            "Low: see below what its batches wait for, and whether they are small (docs/configuration.md, tasks for GPUs).",
          normal: "above 50 %.",
          unit: "percentunit",
          width: 12,
        },
        [{ expr: `mzsr_gpu_utilisation_ratio{${WORKER}}`, legend: "{{worker}} / {{gpu}}" }],
        { min: 0, max: 1 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Memory in use",
          description: "Share of each GPU's memory.",
          normal: "flat after the first minutes.",
          unit: "percentunit",
          width: 12,
        },
        [{ expr: MEMORY_SHARE, legend: "{{worker}} / {{gpu}}" }],
        { min: 0, max: 1 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Memory",
          description: "In use, and what there is.",
          normal: "flat after the first minutes.",
          unit: "bytes",
          width: 12,
        },
        [
          { expr: `mzsr_gpu_memory_used_bytes{${WORKER}}`, legend: "{{worker}} / {{gpu}} used" },
          { expr: `mzsr_gpu_memory_total_bytes{${WORKER}}`, legend: "{{worker}} / {{gpu}} total" },
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      graph({ title: "Temperature", description: "Of each GPU.", normal: "below 80 °C.", unit: "celsius", width: 12 }, [
        { expr: `mzsr_gpu_temperature_celsius{${WORKER}}`, legend: "{{worker}} / {{gpu}}" },
      ]),
    )
    .withPanel(
      graph(
        {
          title: "Tensors",
          description:
            "Memory that TensorFlow.js' tensors hold; flat, or something leaks. Nothing on webgpu, whose memory is fixed at the start.",
          normal: "flat.",
          unit: "bytes",
          width: 24,
        },
        [{ expr: `mzsr_worker_tensor_bytes{${WORKER}}`, legend: "{{worker}}" }],
        { min: 0 },
      ),
    )
    .withRow(new RowBuilder("Batches (backend webgpu)"))
    .withPanel(
      graph(
        {
          title: "Tasks of a batch",
          description: "On average over the newest. Small ones leave a card idle: metaTraining.tasks bounds them.",
          normal: "steady, at what the worker's memory holds or the step offers.",
          unit: "short",
          width: 12,
        },
        [{ expr: `mzsr_worker_batch_tasks{${WORKER}}`, legend: "{{worker}}" }],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Where a batch's time goes",
          description:
            "Mean over the workers: waiting for tasks' data, uploading, computing, reading back. Much data: more --cores for the worker.",
          normal: "mostly computing.",
          unit: "percentunit",
          width: 12,
        },
        [{ expr: `avg by (part) (mzsr_worker_batch_time_ratio{${WORKER}})`, legend: "{{part}}" }],
        { stacked: true, min: 0, max: 1 },
      ),
    )
    .withRow(new RowBuilder("What they make of it"))
    .withPanel(
      graph(
        {
          title: "Time of a gradient",
          description: "Median by worker.",
          normal: "flat, and alike on equal GPUs.",
          unit: "s",
          width: 12,
        },
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
        {
          title: "Tasks per second",
          description: "By worker.",
          normal: "equal GPUs have equal shares.",
          unit: "short",
          width: 12,
        },
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
