/** Hundreds of workers: how many do what, and which of them are fastest, slowest and in trouble? */
import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { frame } from "./frame.js";
import { graph, RUN, ranking, SHARE_IN_VAIN, stat, workersByState, ZERO_IS_GOOD } from "./parts.js";

const RATE = `worker:mzsr_tasks:rate5m{${RUN}}`;
/** Workers named in each ranking. */
const NAMED = 10;
/** A worker whose slots compute less than this of their time mostly waits. */
const WAITS_BELOW = 0.5;

export function fleetDashboard(): Dashboard {
  return frame({
    uid: "mzsr-fleet",
    title: "MZSR / Fleet",
    description: "For hundreds of workers: sums and extremes, and no line for each.",
  })
    .withPanel(
      stat(
        {
          title: "Active",
          description: "Workers that take tasks.",
          normal: "as many as were started.",
          unit: "none",
          width: 4,
        },
        [{ expr: `mzsr_workers{${RUN},state="active"}`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "Away",
          description: "Lost or quarantined workers.",
          normal: "0; on spot nodes as many as were just taken back.",
          unit: "none",
          width: 4,
        },
        [{ expr: `sum(mzsr_workers{${RUN},state=~"lost|quarantined"})`, legend: "" }],
        { thresholds: ZERO_IS_GOOD },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Tasks per second",
          description: "Results accepted, all workers.",
          normal: "grows with the number of workers.",
          unit: "ops",
          width: 4,
        },
        [{ expr: `sum(${RATE})`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "Tasks per second and worker",
          description: "Mean over those that answer.",
          normal: "does not fall when workers are added; otherwise there are too few tasks in a step.",
          unit: "ops",
          width: 4,
        },
        [{ expr: `avg(${RATE} > 0)`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "Waiting",
          description: "Share of workers that compute less than half of their time.",
          normal: "below 20 %; more have not enough to do (tasks in a step, cluster.pipeline).",
          unit: "percentunit",
          width: 4,
        },
        [
          {
            expr: `count(mzsr_worker_busy_ratio{${RUN}} < ${WAITS_BELOW}) / count(mzsr_worker_busy_ratio{${RUN}}) or 0 * count(mzsr_worker_busy_ratio{${RUN}})`,
            legend: "",
          },
        ],
        {
          thresholds: [
            { value: null, color: "green" },
            { value: 0.2, color: "orange" },
            { value: 0.5, color: "red" },
          ],
        },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Repeated",
          description: "Share of leases whose work came to nothing: lost, failed, refused or settled by somebody else.",
          normal: "below 10 %.",
          unit: "percentunit",
          width: 4,
        },
        [{ expr: `run:mzsr_tasks_wasted:ratio5m{${RUN}}`, legend: "" }],
        SHARE_IN_VAIN,
      ),
    )
    .withRow(new RowBuilder("Who"))
    .withPanel(
      ranking(
        {
          title: "Fastest",
          description: `The ${NAMED} workers with most results.`,
          normal: "alike on equal machines.",
          unit: "ops",
          width: 8,
        },
        { expr: `sort_desc(topk(${NAMED}, ${RATE}))`, legend: "{{worker}}" },
      ),
    )
    .withPanel(
      ranking(
        {
          title: "Slowest",
          description: `The ${NAMED} workers with fewest results, those with none first.`,
          normal: "not far below the fastest on equal machines.",
          unit: "ops",
          width: 8,
        },
        { expr: `sort(bottomk(${NAMED}, ${RATE}))`, legend: "{{worker}}" },
      ),
    )
    .withPanel(
      ranking(
        {
          title: "Longest silent",
          description: `The ${NAMED} workers that were heard of longest ago.`,
          normal: "one or two seconds.",
          unit: "s",
          width: 8,
        },
        { expr: `sort_desc(topk(${NAMED}, mzsr_heartbeat_age_seconds{${RUN}}))`, legend: "{{worker}}" },
      ),
    )
    .withRow(new RowBuilder("How many, and how evenly"))
    .withPanel(workersByState(12))
    .withPanel(
      graph(
        {
          title: "Rates over the fleet",
          description: "Tasks per second of the slowest tenth, the middle and the fastest tenth of the workers.",
          normal: "three flat lines; far apart with machines of several kinds.",
          unit: "ops",
          width: 12,
        },
        [
          { expr: `quantile(0.1, ${RATE})`, legend: "slowest tenth" },
          { expr: `quantile(0.5, ${RATE})`, legend: "middle" },
          { expr: `quantile(0.9, ${RATE})`, legend: "fastest tenth" },
        ],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Busy share over the fleet",
          description: "Of the slots' time, for the idlest tenth, the middle and the busiest tenth of the workers.",
          normal: "all above 80 %.",
          unit: "percentunit",
          width: 12,
        },
        [
          { expr: `quantile(0.1, mzsr_worker_busy_ratio{${RUN}})`, legend: "idlest tenth" },
          { expr: `quantile(0.5, mzsr_worker_busy_ratio{${RUN}})`, legend: "middle" },
          { expr: `quantile(0.9, mzsr_worker_busy_ratio{${RUN}})`, legend: "busiest tenth" },
        ],
        { min: 0, max: 1 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Comings, goings and repeats",
          description: "Joins, losses and leaves of workers, and tasks given out again or computed twice.",
          normal: "quiet, but where nodes come and go; repeats follow losses.",
          unit: "none",
          width: 12,
        },
        [
          {
            expr: `sum by (kind) (increase(mzsr_events_total{${RUN},kind=~"join|leave|lost"}[$__rate_interval]))`,
            legend: "{{kind}}",
          },
          { expr: `increase(mzsr_tasks_repeated_total{${RUN}}[$__rate_interval])`, legend: "repeated tasks" },
        ],
        { bars: true, min: 0 },
      ),
    )
    .build();
}
