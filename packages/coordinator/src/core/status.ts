import type { ClusterStatus, RunPhase, WorkerStatus } from "@mzsr/shared";
import type { TaskBoard } from "./leases.js";
import type { Member, Membership } from "./membership.js";
import type { Progress } from "./progress.js";
import type { RunSchedule } from "./schedule.js";
import type { TrainingState } from "./training-state.js";

export interface StatusSources {
  readonly run: string;
  readonly phase: RunPhase;
  readonly schedule: RunSchedule;
  readonly state: Pick<TrainingState, "step" | "backend">;
  readonly membership: Membership;
  readonly board: TaskBoard;
  readonly progress: Progress;
  readonly nowMs: number;
}

/** The cluster as a person wants to see it. */
export function clusterStatus(sources: StatusSources): ClusterStatus {
  const { run, phase, schedule, state, membership, board, progress, nowMs } = sources;
  const step = Math.min(state.step, Math.max(0, schedule.totalSteps - 1));
  const { secondsPerStep, latest } = progress;
  return {
    run,
    phase,
    stage: schedule.stageOf(step),
    step: state.step,
    totalSteps: schedule.totalSteps,
    stageStep: state.step - schedule.stageStart(step),
    stageSteps: schedule.stageSteps(step),
    losses: {
      supportBefore: latest?.supportLosses[0] ?? null,
      queryBefore: latest?.queryLosses[0] ?? null,
      queryAfter: latest?.queryLosses.at(-1) ?? null,
    },
    tasksPerSecond: secondsPerStep ? schedule.tasksOf(step) / secondsPerStep : null,
    secondsPerStep,
    secondsLeft: secondsPerStep === null ? null : secondsPerStep * (schedule.totalSteps - state.step),
    backend: state.backend ?? null,
    workers: [...membership.all].map((member) => workerStatus(member, board, nowMs)),
    leases: leaseCounts(board),
    counters: progress.counters,
  };
}

function workerStatus(member: Member, board: TaskBoard, nowMs: number): WorkerStatus {
  return {
    worker: member.worker,
    state: member.state,
    reason: member.reason,
    backend: member.hello.backend,
    slots: member.hello.slots,
    busySlots: member.session === undefined ? 0 : board.leasesOf(member.session).size,
    host: member.hello.host,
    metricsAddress: member.hello.metricsAddress,
    tasksDone: member.tasksDone,
    tasksFailed: member.tasksFailed,
    secondsPerTask: member.secondsPerTask ?? null,
    lastHeartbeatAgoSeconds: Math.max(0, nowMs - member.lastHeardMs) / 1000,
    since: member.sinceMs,
  };
}

function leaseCounts(board: TaskBoard): ClusterStatus["leases"] {
  const leases = [...board.leases];
  const all = board.steps.reduce((sum, { entries }) => sum + entries.length, 0);
  const unsettled = board.steps.reduce((sum, step) => sum + step.unsettled, 0);
  return {
    pending: board.steps.reduce((sum, { announced, unannounced }) => sum + announced.size + unannounced.size, 0),
    leased: leases.length,
    done: all - unsettled,
    backup: leases.filter(({ kind }) => kind === "backup").length,
    audit: leases.filter(({ kind }) => kind === "audit" || kind === "again").length,
  };
}
