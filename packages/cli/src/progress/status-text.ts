/** A cluster's status as text: one plain line for logs, a few lines for a terminal. */
import type { ClusterStatus, WorkerStatus } from "@mzsr/shared";
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

/**
 * The lines that a terminal shows and draws over. Of many workers they sum up the states and name those that are worth a
 * look: who does not just work, then the slowest.
 * @param all name every worker instead
 */
export function statusLines(status: ClusterStatus, { all = false } = {}): string[] {
  const share = status.stageSteps === 0 ? 1 : status.stageStep / status.stageSteps;
  const stage = `${STAGE_TITLES[status.stage]}  ${bar(share, BAR_WIDTH)}  ${status.stageStep}/${status.stageSteps}`;
  const left = status.secondsLeft === null ? "" : `   ${duration(status.secondsLeft)} left`;
  const rate = status.tasksPerSecond === null ? "" : `${significant(status.tasksPerSecond, 3)} tasks/s   `;
  return [
    stage + left,
    `  ${[...lossText(status), ...(status.phase === "training" ? [] : [status.phase])].join("   ")}`,
    `  ${rate}${workersText(status)}`,
    ...workerLines(status, all),
  ];
}

function workerLines({ workers }: ClusterStatus, all: boolean): string[] {
  const present = workers.filter((worker) => worker.state !== "gone").sort(byName);
  if (all || present.length <= MOST_WORKERS) return present.map(workerLine);
  const shown = worthALook(present).slice(0, MOST_WORKERS);
  return [...overviewLines(present), ...shown.map(workerLine), `  and ${present.length - shown.length} more`];
}

const byNumericName = new Intl.Collator("en", { numeric: true }).compare;

function byName(a: WorkerStatus, b: WorkerStatus): number {
  return byNumericName(a.worker, b.worker);
}

/** Those that do not just work, by name, then the slowest first. */
function worthALook(workers: readonly WorkerStatus[]): WorkerStatus[] {
  const pace = ({ secondsPerTask }: WorkerStatus) => secondsPerTask ?? -1;
  const working = workers.filter(justWorks).sort((a, b) => pace(b) - pace(a) || byName(a, b));
  return [...workers.filter((worker) => !justWorks(worker)), ...working];
}

function justWorks({ state, reason }: WorkerStatus): boolean {
  return state === "active" && !isOnTrial({ state, reason });
}

function isOnTrial({ state, reason }: Pick<WorkerStatus, "state" | "reason">): boolean {
  return state === "active" && reason.startsWith("on trial");
}

/** How many are in each state, and how fast they are. */
function overviewLines(workers: readonly WorkerStatus[]): string[] {
  const counts = new Map<string, number>([["active", 0]]);
  for (const worker of workers) {
    const state = isOnTrial(worker) ? "on trial" : worker.state;
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const connected = workers.filter(({ state }) => state === "active" || state === "draining");
  const sum = (of: "slots" | "busySlots") => connected.reduce((total, worker) => total + worker[of], 0);
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
  return [`  ${states}; ${sum("busySlots")}/${sum("slots")} slots busy${paceText(connected)}`];
}

function paceText(workers: readonly WorkerStatus[]): string {
  const seconds = workers.flatMap(({ secondsPerTask }) => secondsPerTask ?? []).sort((a, b) => a - b);
  if (seconds.length === 0) return "";
  const [fastest, median, slowest] = [0, seconds.length >> 1, seconds.length - 1].map((at) =>
    significant(seconds[at]!, 3),
  );
  return `; a task takes ${fastest} to ${slowest} s, usually ${median} s`;
}

function workerLine(worker: WorkerStatus): string {
  const task = worker.secondsPerTask === null ? "" : `, ${significant(worker.secondsPerTask, 3)} s a task`;
  const why = justWorks(worker) ? "" : ` (${worker.reason})`;
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
