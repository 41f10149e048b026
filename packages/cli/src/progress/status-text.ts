/** A cluster's status as text: one plain line for logs, a few lines for a terminal. */
import type { ClusterStatus } from "@mzsr/shared";
import { bar, counted, duration, significant } from "./numbers.js";

const STAGE_TITLES = { pretraining: "pretraining", metaTraining: "meta-training" } as const;
const BAR_WIDTH = 30;
/** More would push the head of the display off the screen. */
const MOST_WORKERS = 12;

/** `meta-training 120/600 · loss 0.0321 → 0.0274 · 6.1 tasks/s · 2 workers · 3 min 10 s left` */
export function statusLine(status: ClusterStatus): string {
  return [
    `${STAGE_TITLES[status.stage]} ${status.stageStep}/${status.stageSteps}`,
    ...(status.phase === "training" ? [] : [status.phase]),
    ...lossText(status),
    ...(status.tasksPerSecond === null ? [] : [`${significant(status.tasksPerSecond, 3)} tasks/s`]),
    ...(status.phase === "finished" ? [] : whoAndHowLong(status)),
  ].join(" · ");
}

function whoAndHowLong(status: ClusterStatus): string[] {
  return [workersText(status), ...(status.secondsLeft === null ? [] : [`${duration(status.secondsLeft)} left`])];
}

/** The lines that a terminal shows and draws over. */
export function statusLines(status: ClusterStatus): string[] {
  const share = status.stageSteps === 0 ? 1 : status.stageStep / status.stageSteps;
  const stage = `${STAGE_TITLES[status.stage]}  ${bar(share, BAR_WIDTH)}  ${status.stageStep}/${status.stageSteps}`;
  const left = status.secondsLeft === null ? "" : `   ${duration(status.secondsLeft)} left`;
  const rate = status.tasksPerSecond === null ? "" : `${significant(status.tasksPerSecond, 3)} tasks/s   `;
  return [
    stage + left,
    `  ${[...lossText(status), ...(status.phase === "training" ? [] : [status.phase])].join("   ")}`,
    `  ${rate}${workersText(status)}`,
    ...workerLines(status),
  ];
}

function workerLines({ workers }: ClusterStatus): string[] {
  const present = workers.filter((worker) => worker.state !== "gone");
  const sorted = present.sort((a, b) => a.worker.localeCompare(b.worker, "en", { numeric: true }));
  const lines = sorted.slice(0, MOST_WORKERS).map(workerLine);
  return sorted.length <= MOST_WORKERS ? lines : [...lines, `  and ${sorted.length - MOST_WORKERS} more`];
}

function workerLine(worker: ClusterStatus["workers"][number]): string {
  const task = worker.secondsPerTask === null ? "" : `, ${significant(worker.secondsPerTask, 3)} s a task`;
  const why = worker.state === "active" ? "" : ` (${worker.reason})`;
  return `  ${worker.worker}  ${worker.state}${why}  ${worker.busySlots}/${worker.slots} busy, ${worker.tasksDone} tasks${task}`;
}

function lossText({ stage, losses }: ClusterStatus): string[] {
  if (stage === "pretraining")
    return losses.supportBefore === null ? [] : [`loss ${significant(losses.supportBefore)}`];
  if (losses.queryBefore === null || losses.queryAfter === null) return [];
  const gain = 100 * (1 - losses.queryAfter / losses.queryBefore);
  return [
    `loss ${significant(losses.queryBefore)} → ${significant(losses.queryAfter)} by adaptation (${gain >= 0 ? "−" : "+"}${Math.abs(gain).toFixed(1)} %)`,
  ];
}

function workersText({ workers }: ClusterStatus): string {
  const active = workers.filter((worker) => worker.state === "active").length;
  const troubled = workers.filter((worker) => worker.state === "lost" || worker.state === "quarantined").length;
  const text = counted(active, "worker");
  return troubled === 0 ? text : `${text} (${troubled} lost or quarantined)`;
}
