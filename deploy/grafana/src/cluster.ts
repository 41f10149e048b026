/** Who works, on what, and where does the time go? */
import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { frame } from "./frame.js";
import { graph, heatmap, RUN, SHARE_IN_VAIN, stat, workersByState, ZERO_IS_GOOD } from "./parts.js";

const WORKER = 'run="$run",worker=~"$worker"';

/** Seconds of the workers' time per second that tasks took in one part. */
function taskTime(part: "data" | "compute"): string {
  return `sum(rate(mzsr_worker_task_seconds_sum{${WORKER},part="${part}"}[$__rate_interval]))`;
}

/** Mean seconds of one part of a task. */
function meanTime(part: "data" | "compute"): string {
  return `${taskTime(part)} / sum(rate(mzsr_worker_task_seconds_count{${WORKER},part="${part}"}[$__rate_interval]))`;
}

const SLOTS = `sum(mzsr_worker_slots{${WORKER}})`;
const MEAN_LEASE = `sum(rate(mzsr_task_seconds_sum{${WORKER}}[$__rate_interval])) / sum(rate(mzsr_task_seconds_count{${WORKER}}[$__rate_interval]))`;

export function clusterDashboard(): Dashboard {
  return frame({
    uid: "mzsr-cluster",
    title: "MZSR / Cluster",
    description: "Who works, how fast, what goes wrong, and what the time is spent on.",
  })
    .withPanel(
      stat(
        {
          title: "Active workers",
          description: "Connected and taking tasks.",
          normal: "as many as were started.",
          unit: "none",
          width: 3,
        },
        [{ expr: `mzsr_workers{${RUN},state="active"}`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "Lost",
          description: "Fell silent or broke off; their tasks went to others.",
          normal: "0; spot nodes that are taken back show here until they are forgotten.",
          unit: "none",
          width: 3,
        },
        [{ expr: `mzsr_workers{${RUN},state="lost"}`, legend: "" }],
        { thresholds: ZERO_IS_GOOD },
      ),
    )
    .withPanel(
      stat(
        { title: "Quarantined", description: "Shut out for bad results.", normal: "0.", unit: "none", width: 3 },
        [{ expr: `mzsr_workers{${RUN},state="quarantined"}`, legend: "" }],
        { thresholds: ZERO_IS_GOOD },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Busy",
          description: "Mean share of slot time spent on tasks.",
          normal: "above 80 % with as many tasks a step as there are slots, or more.",
          unit: "percentunit",
          width: 3,
        },
        [{ expr: `avg(mzsr_worker_busy_ratio{${WORKER}})`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "Tasks per second",
          description: "Results accepted, all workers.",
          normal: "steady while the workers are the same.",
          unit: "short",
          width: 3,
        },
        [{ expr: `sum(worker:mzsr_tasks:rate5m{${WORKER}})`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "Work in vain",
          description: "Share of leases that were lost, failed, refused, or settled by somebody else first.",
          normal: "below 10 %; audits and backups of slow tasks are not in it, lost workers are.",
          unit: "percentunit",
          width: 3,
        },
        [{ expr: `run:mzsr_tasks_wasted:ratio5m{${RUN}}`, legend: "" }],
        SHARE_IN_VAIN,
      ),
    )
    .withPanel(
      stat(
        {
          title: "Checkpoint's age",
          description: "What a restart would repeat.",
          normal: "falls to 0 every checkpoints.every steps; it goes on rising when the run is finished.",
          unit: "s",
          width: 3,
        },
        [{ expr: `mzsr_checkpoint_age_seconds{${RUN}}`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "NATS",
          description: "1 while the coordinator is connected; training goes on without.",
          normal: "1 where NATS is used, nothing where it is not.",
          unit: "none",
          width: 3,
        },
        [{ expr: `mzsr_nats_connected{${RUN}}`, legend: "" }],
        {
          thresholds: [
            { value: null, color: "red" },
            { value: 1, color: "green" },
          ],
        },
      ),
    )
    .withRow(new RowBuilder("Workers"))
    .withPanel(workersByState(8))
    .withPanel(
      graph(
        {
          title: "Tasks per second by worker",
          description: "Accepted and audited results.",
          normal: "equal machines have equal shares.",
          unit: "short",
          width: 8,
        },
        [
          {
            expr: `sum by (worker) (rate(mzsr_tasks_total{${WORKER},outcome=~"accepted|audited"}[$__rate_interval]))`,
            legend: "{{worker}}",
          },
        ],
        { stacked: true, min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Busy share by worker",
          description: "Of the slots' time.",
          normal: "above 80 %; all low means that there is not enough to do, one low that it is slow to reach.",
          unit: "percentunit",
          width: 8,
        },
        [{ expr: `mzsr_worker_busy_ratio{${WORKER}}`, legend: "{{worker}}" }],
        { min: 0, max: 1 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Last heard of",
          description: "Seconds since each worker's heartbeat. One is usual; a lost worker's grows until it is back.",
          normal: "about one second.",
          unit: "s",
          width: 8,
        },
        [{ expr: `mzsr_heartbeat_age_seconds{${WORKER}}`, legend: "{{worker}}" }],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Memory by worker",
          description: "Resident, and what the backends' tensors hold.",
          normal: "flat after the first minutes.",
          unit: "bytes",
          width: 8,
        },
        [
          { expr: `process_resident_memory_bytes{job="mzsr-worker",${WORKER}}`, legend: "{{worker}}" },
          { expr: `mzsr_worker_tensor_bytes{${WORKER}}`, legend: "{{worker}}, tensors" },
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Processor by worker",
          description: "Cores in use.",
          normal: "about one core for each slot on CPUs, less than one on a GPU.",
          unit: "short",
          width: 8,
        },
        [
          {
            expr: `rate(process_cpu_seconds_total{job="mzsr-worker",${WORKER}}[$__rate_interval])`,
            legend: "{{worker}}",
          },
        ],
        { min: 0 },
      ),
    )
    .withRow(new RowBuilder("Tasks and time"))
    .withPanel(
      heatmap(
        {
          title: "Time of a task",
          description: "From lease to result: how many tasks took how long.",
          normal: "one narrow band for each kind of machine.",
          unit: "s",
          width: 12,
        },
        { expr: `sum by (le) (increase(mzsr_task_seconds_bucket{${WORKER}}[$__rate_interval]))`, legend: "{{le}}" },
      ),
    )
    .withPanel(
      graph(
        {
          title: "What a task's time is spent on",
          description:
            "Mean seconds: making its patches, its gradient, and the rest: the wire, and waiting for a slot.",
          normal: "gradient is most of it.",
          unit: "s",
          width: 12,
        },
        [
          { expr: meanTime("data"), legend: "patches" },
          { expr: meanTime("compute"), legend: "gradient" },
          {
            expr: `clamp_min(${MEAN_LEASE} - (${meanTime("data")}) - (${meanTime("compute")}), 0)`,
            legend: "wire and waiting",
          },
        ],
        { stacked: true, min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "What the slots' time is spent on",
          description: "Share of all slots. Idle slots wait for the slowest task of a step, or for parameters.",
          normal: "idle below 20 %.",
          unit: "percentunit",
          width: 8,
        },
        [
          { expr: `${taskTime("compute")} / ${SLOTS}`, legend: "gradient" },
          { expr: `${taskTime("data")} / ${SLOTS}`, legend: "patches" },
          { expr: `clamp_min(1 - (${taskTime("compute")} + ${taskTime("data")}) / ${SLOTS}, 0)`, legend: "idle" },
        ],
        { stacked: true, min: 0, max: 1 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Usual time of a task by worker",
          description: "95 of 100 tasks take no longer.",
          normal: "flat, and alike on equal machines.",
          unit: "s",
          width: 8,
        },
        [{ expr: `worker:mzsr_task_seconds:p95_5m{${WORKER}}`, legend: "{{worker}}" }],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Leases",
          description: "Tasks and leases of the open steps.",
          normal: "leased as many as there are slots, pending near 0; both 0 when the run is finished.",
          unit: "none",
          width: 8,
        },
        [{ expr: `mzsr_leases{${RUN}}`, legend: "{{state}}" }],
        { steps: true, min: 0 },
      ),
    )
    .withRow(new RowBuilder("What went wrong"))
    .withPanel(
      graph(
        {
          title: "Leases that ended",
          description: "Per second, by how.",
          normal: "accepted, and as many audited as cluster.auditShare asks for.",
          unit: "short",
          width: 8,
        },
        [
          {
            expr: `sum by (outcome) (rate(mzsr_tasks_total{${WORKER}}[$__rate_interval]))`,
            legend: "{{outcome}}",
          },
        ],
        { stacked: true, min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Repeats and refusals",
          description: "Tasks given out again or computed twice; results and peers turned away, by reason.",
          normal: "nothing, but for repeats when a worker was lost.",
          unit: "none",
          width: 8,
        },
        [
          { expr: `increase(mzsr_tasks_repeated_total{${RUN}}[$__rate_interval])`, legend: "repeated" },
          {
            expr: `sum by (reason) (increase(mzsr_refusals_total{${RUN}}[$__rate_interval]))`,
            legend: "refused: {{reason}}",
          },
          {
            expr: `sum by (worker) (increase(mzsr_worker_reconnects_total{${WORKER}}[$__rate_interval]))`,
            legend: "{{worker}} reconnected",
          },
        ],
        { bars: true, min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Audits",
          description: "Tasks recomputed elsewhere and compared, by result.",
          normal: "match alone. One mismatch is one too many.",
          unit: "none",
          width: 8,
        },
        [{ expr: `sum by (result) (increase(mzsr_audits_total{${RUN}}[$__rate_interval]))`, legend: "{{result}}" }],
        { bars: true, stacked: true, min: 0 },
      ),
    )
    .withRow(new RowBuilder("Wire and disk"))
    .withPanel(
      graph(
        {
          title: "Bytes",
          description: "Gradients to the coordinator, parameters to the workers.",
          normal: "steady; gradients about as much as parameters.",
          unit: "Bps",
          width: 8,
        },
        [
          { expr: `rate(mzsr_gradient_bytes_total{${RUN}}[$__rate_interval])`, legend: "gradients" },
          { expr: `rate(mzsr_parameter_bytes_total{${RUN}}[$__rate_interval])`, legend: "parameters" },
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Checkpoint's age",
          description: "It falls when one is written.",
          normal: "falls to 0 every checkpoints.every steps; it goes on rising when the run is finished.",
          unit: "s",
          width: 8,
        },
        [{ expr: `mzsr_checkpoint_age_seconds{${RUN}}`, legend: "age" }],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Time of a checkpoint",
          description: "To make it durable; training goes on meanwhile.",
          normal: "well below a second on a local disk.",
          unit: "s",
          width: 8,
        },
        [
          {
            expr: `increase(mzsr_checkpoint_seconds_sum{${RUN}}[5m]) / (increase(mzsr_checkpoint_seconds_count{${RUN}}[5m]) > 0)`,
            legend: "mean of 5 minutes",
          },
        ],
        { min: 0 },
      ),
    )
    .build();
}
