/** What may enter: results that are what their lease asked for, and workers that fit the run. */
import type { BackendName, Task, TaskReport } from "@mzsr/shared";
import type { WorkerHello } from "./events.js";

/** Why a result does not count: a short code for counters, a sentence for people that goes on from "its result". */
export interface ResultRejection {
  readonly code: "task" | "losses" | "not-finite";
  readonly reason: string;
}

export interface LossCounts {
  readonly support: number;
  readonly query: number;
}

/** What is wrong with what is said of a result, or `undefined`. Its gradient is judged when it is added up. */
export function validateReport(report: TaskReport, task: Task, counts: LossCounts): ResultRejection | undefined {
  if (report.stage !== task.stage || report.step !== task.step || report.index !== task.index) {
    const asked = `${task.stage} step ${task.step} task ${task.index}`;
    return { code: "task", reason: `is for ${report.stage} step ${report.step} task ${report.index}, not ${asked}` };
  }
  const { supportLosses, queryLosses } = report;
  if (supportLosses.length !== counts.support || queryLosses.length !== counts.query) {
    const given = `${supportLosses.length} support and ${queryLosses.length} query losses`;
    return { code: "losses", reason: `has ${given}, not ${counts.support} and ${counts.query}` };
  }
  const bad = [...supportLosses, ...queryLosses].find((loss) => !Number.isFinite(loss));
  return bad === undefined ? undefined : { code: "not-finite", reason: `has a loss that is ${bad}` };
}

export interface RunBackend {
  /** The run's backend, once known. */
  readonly backend: BackendName | undefined;
  readonly mixed: boolean;
}

/** Why a worker cannot compute for this run at all, or `undefined`. */
export function validateWorker(hello: WorkerHello, run: RunBackend): string | undefined {
  if (run.mixed || run.backend === undefined || hello.backend === run.backend) return undefined;
  return (
    `this run computes on the backend ${run.backend} and ${hello.worker} offers ${hello.backend}: results would differ ` +
    `in their last bits; start it with --backend ${run.backend}, or set cluster.mixedBackends`
  );
}
